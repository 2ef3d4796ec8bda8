/* SPDX-License-Identifier: MPL-2.0 */
/*
 * verify_message.c - verify1 and verify2 messages from a peer: read the same in either place, and
 * answered only when both are well-formed. The first byte says where one ends and the other begins.
 */
#include "prio/packet.h"

#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct prio_batch *batch;
static struct prio_server *server;
static struct prio_packet *packet;
static struct prio_point point;

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    static const uint8_t key[PRIO_KEY_BYTES] = {1}, secret[PRIO_SECRET_BYTES] = {2};
    // Batch id, a, b, c, f0, g0, h0, server id 1, and a seed of sixteen letters.
    static const char text[] =
        "\xa0\xa1\x01\xa1\x02\xa1\x03\xa1\x04\xa1\x05\xa1\x06\x01\xb0sixteen letters.";
    const struct prio_server_options options = {
        .role = PRIO_SERVER_B, .private_key = key, .peer_public_key = key, .shared_secret = secret};
    static uint8_t plain[sizeof text + VEC_SLACK];
    struct prio_pass *pass;
    memcpy(plain, text, sizeof text);
    must(prio_batch_new(&batch, &(struct prio_batch_options){.n_data = 3}) == PRIO_OK);
    must(prio_server_new(&server, batch, &options) == PRIO_OK);
    must(prio_pass_new(&pass, server) == PRIO_OK);
    must(prio_pass_next(pass, &point) == PRIO_OK);
    must(prio_packet_new(&packet, server) == PRIO_OK);
    must(packet_parse(packet, plain, sizeof text - 1) == PRIO_OK);
    prio_pass_free(pass);
    return 0;
}

static struct span copy_of(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    must(copy != NULL);
    memcpy(copy, bytes, len);
    return span_of(copy, len);
}

struct answer {
    int status;
    uint8_t bytes[PRIO_VERIFY2_MAX];
    size_t len;
};

static struct answer ask(struct span own, struct span peer)
{
    struct answer a = {.len = 99};
    memset(a.bytes, 0xa5, sizeof a.bytes);
    a.status =
        prio_packet_verify2(packet, &point, own.ptr, own.len, peer.ptr, peer.len, a.bytes, &a.len);
    return a;
}

static void check_verify1(struct span one, struct span other)
{
    const struct answer a = ask(one, other), b = ask(other, one);
    must(a.status == PRIO_OK || a.status == PRIO_REJECT_PACKET);
    must(a.status == b.status && a.len == b.len && memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0);
    if (a.status == PRIO_OK) {
        must(a.len >= 2 && a.len <= PRIO_VERIFY2_MAX);
        must(prio_verdict(a.bytes, a.len, a.bytes, a.len) != PRIO_REJECT_PACKET);
        must(ask(one, one).status == PRIO_OK && ask(other, other).status == PRIO_OK);
    } else {
        must(a.len == 99);
        must(ask(one, one).status != PRIO_OK || ask(other, other).status != PRIO_OK);
    }
}

static void check_verify2(struct span one, struct span other)
{
    static const uint8_t zero[] = {0xa1, 0};
    const int r = prio_verdict(one.ptr, one.len, other.ptr, other.len);
    must(r == PRIO_OK || r == PRIO_REJECT_PACKET || r == PRIO_REJECT_INVALID);
    must(r == prio_verdict(other.ptr, other.len, one.ptr, one.len));
    const bool good = prio_verdict(one.ptr, one.len, zero, sizeof zero) != PRIO_REJECT_PACKET &&
                      prio_verdict(other.ptr, other.len, zero, sizeof zero) != PRIO_REJECT_PACKET;
    must(good == (r != PRIO_REJECT_PACKET));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const size_t cut = data[0] % size;
    const struct span one = copy_of(data + 1, cut), other = copy_of(data + 1 + cut, size - 1 - cut);
    check_verify1(one, other);
    check_verify2(one, other);
    free((void *)(uintptr_t)one.ptr);
    free((void *)(uintptr_t)other.ptr);
    return 0;
}
