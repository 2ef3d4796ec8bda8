/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The reasons below are those of the `first` points mode. A record that one server drops in verify1
 * has no verify1 line there, so in verify2 it is missing-internal on that server and
 * missing-external on the other, which then has no verify2 line for it either. Kinds that hit both
 * servers alike have the same reasons in `sequential` mode; one that hits a single server would
 * shift every later point there (prio-v1.md section 9).
 */
#include "cheats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
#define COMES_THROUGH_TO_THE_SUM {NULL, NULL, "invalid"}
#define DROPPED_AT_ONCE(why)     {why, "missing-internal", "missing-internal"}
#define DROPPED_BY_THE_PEER      {NULL, "missing-external", "missing-internal"}
#define DROPPED_EACH_TIME(why)   {why, why, why}
#define BOTH(...)                {__VA_ARGS__, __VA_ARGS__}

const struct cheat CHEATS[CHEAT_KINDS] = {
    [CHEAT_BIT2] = {"bit2", "one value is 2, the proof is made as for bits", {0},
                    BOTH(COMES_THROUGH_TO_THE_SUM)},
    [CHEAT_PROOF] = {"proof", "one h point or the triple of A's packet is off by one bit", {0},
                     BOTH(COMES_THROUGH_TO_THE_SUM)},
    [CHEAT_MISMATCH] = {"mismatch", "A's share of one submission, B's share of another", {0},
                        BOTH(COMES_THROUGH_TO_THE_SUM)},
    [CHEAT_REPLAY] = {"replay", "both shares of an earlier honest record under a new id", {0},
                      BOTH(DROPPED_AT_ONCE("replay"))},
    [CHEAT_DUPLICATE_ID] = {"duplicate-id", "a submission under the id of an earlier record", {0},
                            BOTH(DROPPED_EACH_TIME("duplicate-id"))},
    [CHEAT_TRUNCATED] = {"truncated", "both ciphertexts are cut short", {0},
                         BOTH(DROPPED_AT_ONCE("decrypt"))},
    [CHEAT_TRUNCATED_A] = {"truncated-a", "A's ciphertext is cut short", {0},
                           {DROPPED_AT_ONCE("decrypt"), DROPPED_BY_THE_PEER}},
    [CHEAT_TRUNCATED_B] = {"truncated-b", "B's ciphertext is cut short", {0},
                           {DROPPED_BY_THE_PEER, DROPPED_AT_ONCE("decrypt")}},
    [CHEAT_WRONG_BATCH] = {"wrong-batch", "encoded for another batch id", {0},
                           BOTH(DROPPED_AT_ONCE("parse"))},
    [CHEAT_WRONG_N] = {"wrong-n", "encoded for one bit more: B cannot tell", {0},
                       {DROPPED_AT_ONCE("parse"), DROPPED_BY_THE_PEER}},
    [CHEAT_WRONG_KEY] = {"wrong-key", "sealed to other servers' keys", {0},
                         BOTH(DROPPED_AT_ONCE("decrypt"))},
    [CHEAT_SWAPPED] = {"swapped", "A gets B's share and B gets A's", {0},
                       BOTH(DROPPED_AT_ONCE("decrypt"))},
    [CHEAT_GARBAGE] = {"garbage", "random bytes in place of both shares", {0},
                       BOTH(DROPPED_AT_ONCE("decrypt"))},
    [CHEAT_BAD_BASE64] = {"bad-base64", "payloads that are no base64", {0},
                          BOTH(DROPPED_AT_ONCE("bad-base64"))},
    [CHEAT_NO_ID] = {"no-id", "a record without an id", {0}, BOTH(DROPPED_EACH_TIME("no-id"))},
    [CHEAT_BAD_JSON] = {"bad-json", "a line that breaks off in the middle", {0},
                        BOTH(DROPPED_EACH_TIME("bad-json"))},
    [CHEAT_TOO_LONG] = {"too-long", "a line far longer than any share", {0},
                        BOTH(DROPPED_EACH_TIME("too-long"))},
    [CHEAT_LOST_A] = {"lost-a", "A has no line for this record", {true, false},
                      {{NULL, NULL, NULL}, DROPPED_BY_THE_PEER}},
    [CHEAT_LOST_B] = {"lost-b", "B has no line for this record", {false, true},
                      {DROPPED_BY_THE_PEER, {NULL, NULL, NULL}}},
};
// clang-format on

static int set_count(uint64_t counts[CHEAT_KINDS], const char *word, size_t name_len,
                     uint64_t count, struct err *err)
{
    bool found = false;
    for (size_t k = 0; k < CHEAT_KINDS; k++) {
        const bool named =
            strlen(CHEATS[k].name) == name_len && memcmp(CHEATS[k].name, word, name_len) == 0;
        if (named || (name_len == 3 && memcmp(word, "all", 3) == 0)) {
            counts[k] = count;
            found = true;
        }
    }
    return found ? 0 : err_set(err, E_ARG, 0, "no such cheat: %.*s", (int)name_len, word);
}

static int parse_word(uint64_t counts[CHEAT_KINDS], const char *word, size_t len, uint64_t n_honest,
                      struct err *err)
{
    char number[32];
    char *end;
    const char *equals = memchr(word, '=', len);
    const size_t name_len = equals ? (size_t)(equals - word) : len;
    const size_t number_len = equals ? len - name_len - 1 : 0;
    if (number_len == 0 || number_len >= sizeof number)
        return err_set(err, E_ARG, 0, "cheat %.*s: write kind=NUMBER", (int)len, word);
    memcpy(number, equals + 1, number_len);
    number[number_len] = '\0';
    const double value = strtod(number, &end);
    if (*end != '\0' || !(value >= 0 && value <= 1e9))
        return err_set(err, E_ARG, 0, "cheat %.*s: not a count or a part", (int)len, word);
    uint64_t count = (uint64_t)value;
    if (strchr(number, '.') && value > 0) {
        count = (uint64_t)(value * (double)n_honest + .5);
        count += count == 0;
    }
    return set_count(counts, word, name_len, count, err);
}

int cheats_parse(uint64_t counts[CHEAT_KINDS], const char *text, uint64_t n_honest, struct err *err)
{
    memset(counts, 0, CHEAT_KINDS * sizeof *counts);
    while (*text) {
        const size_t len = strcspn(text, ",");
        const int r = parse_word(counts, text, len, n_honest, err);
        if (r < 0)
            return r;
        text += len + (text[len] == ',');
    }
    return 0;
}

/* Fisher and Yates; then an honest record goes to the front, so that every victim has one before
 * it. */
static void shuffle(struct plan *plan, struct dice *dice)
{
    struct slot *s = plan->slots;
    for (size_t i = plan->n_slots; i > 1; i--) {
        const size_t j = (size_t)dice_below(dice, i);
        const struct slot t = s[i - 1];
        s[i - 1] = s[j];
        s[j] = t;
    }
    for (size_t i = 1; i < plan->n_slots && s[0].kind != CHEAT_NONE; i++) {
        const struct slot t = s[0];
        s[0] = s[i];
        s[i] = t;
    }
}

static void choose_victims(struct plan *plan, struct dice *dice)
{
    uint64_t n_before = 0;
    for (size_t i = 0; i < plan->n_slots; i++) {
        struct slot *s = &plan->slots[i];
        if (s->kind == CHEAT_NONE)
            n_before++;
        else if (s->kind == CHEAT_REPLAY || s->kind == CHEAT_DUPLICATE_ID)
            s->victim = dice_below(dice, n_before);
    }
}

int plan_make(struct plan *plan, uint64_t n_honest, const uint64_t counts[CHEAT_KINDS],
              uint64_t seed, struct err *err)
{
    struct dice dice = {seed};
    uint64_t n_slots = n_honest;
    for (size_t k = 0; k < CHEAT_KINDS; k++)
        n_slots += counts[k];
    if (n_honest == 0 && counts[CHEAT_REPLAY] + counts[CHEAT_DUPLICATE_ID] > 0)
        return err_set(err, E_ARG, 0, "replays and duplicate ids need an honest client");
    *plan = (struct plan){.slots = calloc(n_slots + 1, sizeof *plan->slots),
                          .n_slots = (size_t)n_slots};
    if (!plan->slots)
        return err_set(err, E_NOMEM, 0, "no memory for %" PRIu64 " records", n_slots);
    struct slot *s = plan->slots;
    for (size_t k = 0; k < CHEAT_KINDS; k++)
        for (uint64_t i = 0; i < counts[k]; i++)
            (s++)->kind = (enum cheat_kind)k;
    while (s < plan->slots + n_slots)
        (s++)->kind = CHEAT_NONE;
    shuffle(plan, &dice);
    choose_victims(plan, &dice);
    return 0;
}

void plan_deinit(struct plan *plan)
{
    free(plan->slots);
    *plan = (struct plan){0};
}
