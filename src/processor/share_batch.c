/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/share_batch.h"

#include "codec/uuid.h"
#include "stage/stage.h"

#include <errno.h>
#include <sys/random.h>

enum { UUID_CHARS = 36, ORDER_BITS = 48, UUID_BYTES = 16 };

__extension__ typedef unsigned __int128 wide;

int share_batch_init(struct share_batch *out, const struct share_options *options,
                     struct span batch_id, size_t n_data, struct err *err)
{
    struct share_batch b = {0};
    int status = prio_batch_new(&b.batch, &(struct prio_batch_options){.batch_id = batch_id.ptr,
                                                                       .batch_id_len = batch_id.len,
                                                                       .n_data = n_data,
                                                                       .prg = options->prg,
                                                                       .cpu = options->cpu_level});
    if (status == PRIO_OK)
        status = prio_client_new(&b.client, b.batch, options->public_key[PRIO_SERVER_A],
                                 options->public_key[PRIO_SERVER_B]);
    if (status != PRIO_OK) {
        share_batch_deinit(&b);
        const int r = stage_prio_err(err, status, "its parameters");
        return err_wrap(err, r, "batch %.*s", (int)batch_id.len, (const char *)batch_id.ptr);
    }
    *out = b;
    return 0;
}

void share_batch_deinit(struct share_batch *batch)
{
    prio_client_free(batch->client);
    prio_batch_free(batch->batch);
    *batch = (struct share_batch){0};
}

uint64_t share_partitions(size_t base64_len, uint64_t n_records, uint64_t partition_mb)
{
    const wide bytes = (wide)(base64_len + UUID_CHARS) * n_records;
    const wide partition = (wide)partition_mb * 1000000;
    const wide n = (bytes + partition - 1) / partition;
    return n > UINT64_MAX ? UINT64_MAX : n > 0 ? (uint64_t)n : 1;
}

int random_bytes(void *out, size_t len, struct err *err)
{
    uint8_t *rest = out;
    while (len > 0) {
        const ssize_t n = getrandom(rest, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, E_IO, errno, "read random bytes");
        rest += n;
        len -= (size_t)n;
    }
    return 0;
}

int random_uuid_in_order(char out[UUID_TEXT_BYTES], uint64_t i, uint64_t n, struct err *err)
{
    uint8_t bytes[UUID_BYTES];
    uint64_t random;
    int r = random_bytes(bytes, sizeof bytes, err);
    if (r == 0)
        r = random_bytes(&random, sizeof random, err);
    if (r < 0)
        return r;
    // The first 48 bits of a UUIDv4 are all random; this one's lie in [i / n, (i + 1) / n).
    const wide first = ((wide)i << ORDER_BITS) / n, behind = ((wide)(i + 1) << ORDER_BITS) / n;
    const uint64_t head = (uint64_t)first + (uint64_t)(((wide)random * (behind - first)) >> 64);
    for (int k = 0; k < ORDER_BITS / 8; k++)
        bytes[k] = (uint8_t)(head >> (ORDER_BITS - 8 - 8 * k));
    uuid4_format(out, bytes);
    return 0;
}
