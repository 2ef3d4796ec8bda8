/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/base64.h"

#include "base/cpu.h"
#include "testing.h"

#include <stdio.h>

enum { MAX_CHARS = 400, MAX_BYTES = MAX_CHARS / 4 * 3, GUARD = 32 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const unsigned level_c = 0, level_avx2 = CPU_AVX2;

static struct base64_ops ops_for(void **state)
{
    const unsigned level = *(const unsigned *)*state;
    struct base64_ops ops;
    if ((cpu_detect() & level) != level)
        skip();
    base64_ops_init(&ops, level);
    return ops;
}

/* Straight from the RFC's words, a bit at a time: the judge of all versions. */
static size_t naive_encode(char *out, const uint8_t *in, size_t n)
{
    size_t written = 0;
    for (size_t bit = 0; bit < 8 * n; bit += 6) {
        unsigned v = 0;
        for (size_t k = bit; k < bit + 6; k++)
            v = v << 1 | (k < 8 * n ? (in[k / 8] >> (7 - k % 8)) & 1u : 0);
        out[written++] = alphabet[v];
    }
    while (written % 4 != 0)
        out[written++] = '=';
    return written;
}

static void known_answers(void **state)
{
    static const struct {
        const char *bytes, *text;
    } cases[] = {{"", ""},
                 {"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg=="},
                 {"fooba", "Zm9vYmE="},
                 {"foobar", "Zm9vYmFy"}};
    const struct base64_ops ops = ops_for(state);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t n = strlen(cases[i].bytes), len = strlen(cases[i].text);
        uint8_t out[8 + BASE64_SLACK];
        assert_int_equal(ops.encode(out, (const uint8_t *)cases[i].bytes, n), len);
        assert_memory_equal(out, cases[i].text, len);
        assert_int_equal(ops.decode(out, (const uint8_t *)cases[i].text, len), n);
        assert_memory_equal(out, cases[i].bytes, n);
    }
}

static void nothing_is_nothing_even_without_a_pointer(void **state)
{
    const struct base64_ops ops = ops_for(state);
    uint8_t out[BASE64_SLACK];
    assert_int_equal(ops.decode(out, NULL, 0), 0);
    assert_int_equal(ops.encode(out, NULL, 0), 0);
}

static void every_length_goes_there_and_back_within_its_room(void **state)
{
    const struct base64_ops ops = ops_for(state);
    uint64_t seed = 1;
    for (size_t n = 0; n <= MAX_BYTES; n++) {
        const size_t shift = n % 7; // unaligned on both sides
        char want[MAX_CHARS + 4];
        uint8_t *bytes = malloc(n + 1), text[MAX_CHARS + 8 + BASE64_SLACK + GUARD],
                back[MAX_BYTES + 8 + BASE64_SLACK + GUARD];
        assert_non_null(bytes); // exactly n bytes behind bytes + 1: a sanitizer sees over-reads
        fill_noise(&seed, bytes, n + 1);
        memset(text, GUARD_BYTE, sizeof text);
        memset(back, GUARD_BYTE, sizeof back);

        const size_t want_len = naive_encode(want, bytes + 1, n);
        assert_int_equal(want_len, base64_encoded_len(n));
        assert_int_equal(ops.encode(text + shift, bytes + 1, n), want_len);
        assert_memory_equal(text + shift, want, want_len);
        assert_guarded(text, shift);
        const size_t text_room = shift + want_len + BASE64_SLACK;
        assert_guarded(text + text_room, sizeof text - text_room);

        uint8_t *exact = malloc(want_len + 1);
        assert_non_null(exact);
        memcpy(exact + 1, want, want_len);
        assert_int_equal(ops.decode(back + shift, exact + 1, want_len), n);
        assert_memory_equal(back + shift, bytes + 1, n);
        assert_guarded(back, shift);
        const size_t back_room = shift + base64_decode_room(want_len);
        assert_guarded(back + back_room, sizeof back - back_room);
        free(exact);
        free(bytes);
    }
}

static void every_character_has_its_value_at_every_place(void **state)
{
    const struct base64_ops ops = ops_for(state);
    for (size_t v = 0; v < 64; v++) {
        uint8_t text[132], out[132 + BASE64_SLACK];
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 'A', sizeof text);
            text[at] = (uint8_t)alphabet[v];
            assert_int_equal(ops.decode(out, text, sizeof text), 99);
            const uint32_t quad = (uint32_t)v << (6 * (3 - at % 4));
            const uint8_t *triple = out + at / 4 * 3;
            assert_int_equal(triple[0] << 16 | triple[1] << 8 | triple[2], quad);
        }
    }
}

static void any_foreign_byte_anywhere_is_refused(void **state)
{
    const struct base64_ops ops = ops_for(state);
    uint8_t text[132], out[132 + BASE64_SLACK];
    for (size_t at = 0; at < sizeof text; at++) {
        for (unsigned c = 0; c < 256; c++) {
            memset(text, 'b', sizeof text);
            text[at] = (uint8_t)c;
            const bool in_alphabet = c != 0 && strchr(alphabet, (int)c) != NULL;
            assert_int_equal(ops.decode(out, text, sizeof text), in_alphabet ? 99 : -1);
        }
    }
}

static void a_foreign_byte_is_refused_at_every_length(void **state)
{
    static const uint8_t foreign[] = {0, '\n', ' ', '=', '-', '_', '@', '[', '`', '{', 0x80, 0xff};
    const struct base64_ops ops = ops_for(state);
    uint64_t seed = 2;
    for (size_t len = 4; len <= MAX_CHARS; len += 4) {
        uint8_t text[MAX_CHARS], out[MAX_BYTES + BASE64_SLACK];
        for (size_t i = 0; i < len; i++)
            text[i] = (uint8_t)alphabet[noise(&seed) % 64];
        for (size_t at = 0; at < len; at++) {
            const uint8_t kept = text[at];
            for (size_t k = 0; k < sizeof foreign; k++) {
                text[at] = foreign[k];
                if (foreign[k] == '=' && at == len - 1)
                    continue; // padding, judged below
                assert_int_equal(ops.decode(out, text, len), -1);
            }
            text[at] = kept;
        }
        assert_int_equal(ops.decode(out, text, len), len / 4 * 3);
    }
}

static void only_lengths_of_whole_quads_are_taken(void **state)
{
    const struct base64_ops ops = ops_for(state);
    uint8_t text[MAX_CHARS], out[MAX_BYTES + BASE64_SLACK];
    memset(text, 'A', sizeof text);
    for (size_t len = 0; len <= sizeof text; len++)
        assert_int_equal(ops.decode(out, text, len), len % 4 ? -1 : (ptrdiff_t)len / 4 * 3);
}

static void padding_is_strict(void **state)
{
    static const struct {
        const char *end;
        int bytes; // of the last quad, -1: refused
    } cases[] = {{"AAA=", 2},  {"AA==", 1},  {"A===", -1}, {"====", -1}, {"AA=A", -1},
                 {"=AAA", -1}, {"A=AA", -1}, {"A=A=", -1}, {"AAE=", 2},  {"AAB=", -1},
                 {"AAC=", -1}, {"AAD=", -1}, {"AQ==", 1},  {"AB==", -1}, {"AI==", -1},
                 {"AP==", -1}, {"/w==", 1},  {"//8=", 2},  {"//9=", -1}, {"/x==", -1}};
    const struct base64_ops ops = ops_for(state);
    for (size_t quads = 0; quads <= 40; quads++) {
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            uint8_t text[164], out[123 + BASE64_SLACK];
            memset(text, 'z', sizeof text);
            memcpy(text + 4 * quads, cases[i].end, 4);
            const ptrdiff_t want = cases[i].bytes < 0 ? -1 : (ptrdiff_t)quads * 3 + cases[i].bytes;
            assert_int_equal(ops.decode(out, text, 4 * quads + 4), want);
            // Padding of an inner quad is never legal, whatever follows.
            if (quads > 0) {
                memcpy(text, cases[i].end, 4);
                memcpy(text + 4 * quads, "AAAA", 4);
                if (strchr(cases[i].end, '='))
                    assert_int_equal(ops.decode(out, text, 4 * quads + 4), -1);
            }
        }
    }
}

#define AT(LEVEL, TEST)                                                                            \
    {                                                                                              \
#TEST " (" #LEVEL ")", TEST, NULL, NULL, (void *)&level_##LEVEL                            \
    }
#define AT_EVERY_LEVEL(TEST) AT(c, TEST), AT(avx2, TEST)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_EVERY_LEVEL(known_answers),
        AT_EVERY_LEVEL(nothing_is_nothing_even_without_a_pointer),
        AT_EVERY_LEVEL(every_length_goes_there_and_back_within_its_room),
        AT_EVERY_LEVEL(every_character_has_its_value_at_every_place),
        AT_EVERY_LEVEL(any_foreign_byte_anywhere_is_refused),
        AT_EVERY_LEVEL(a_foreign_byte_is_refused_at_every_length),
        AT_EVERY_LEVEL(only_lengths_of_whole_quads_are_taken),
        AT_EVERY_LEVEL(padding_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
