/* SPDX-License-Identifier: MPL-2.0 */
#include "base/secret.h"
#include "prio/wire.h"
#include "weir/prio.h"

#include <stdlib.h>
#include <string.h>

static bool read_header(struct msgpack_reader *r, uint64_t *server_id, size_t n)
{
    uint32_t count;
    return msgpack_read_uint(r, server_id) && *server_id <= PRIO_SERVER_B &&
           msgpack_read_array(r, &count) && count == n;
}

static struct msgpack_reader reader_of(const void *bytes, size_t len)
{
    return (struct msgpack_reader){bytes, (const uint8_t *)bytes + len};
}

int prio_final(uint64_t *totals, size_t n, const void *total_share_a, size_t a_len,
               const void *total_share_b, size_t b_len)
{
    if (totals == NULL || total_share_a == NULL || total_share_b == NULL || n == 0 ||
        n > PRIO_MAX_DATA)
        return PRIO_E_ARG;
    struct msgpack_reader a = reader_of(total_share_a, a_len);
    struct msgpack_reader b = reader_of(total_share_b, b_len);
    uint64_t id_a, id_b;
    if (!read_header(&a, &id_a, n) || !read_header(&b, &id_b, n) || id_a != PRIO_SERVER_A ||
        id_b != PRIO_SERVER_B)
        return PRIO_REJECT_PACKET;
    uint64_t *sums = calloc(n, sizeof *sums); // so that a late failure leaves totals as it was
    if (sums == NULL)
        return PRIO_E_NOMEM;
    int r = PRIO_OK;
    for (size_t i = 0; i < n && r != PRIO_REJECT_PACKET; i++) {
        struct fe x, y;
        if (!wire_read_element(&a, &x) || !wire_read_element(&b, &y)) {
            r = PRIO_REJECT_PACKET;
            break;
        }
        const uint128 sum = fe_to_u128(fe_add(x, y));
        sums[i] = (uint64_t)sum;
        if (sum >> 64 != 0)
            r = PRIO_E_RANGE;
    }
    if (r == PRIO_OK)
        memcpy(totals, sums, n * sizeof *sums);
    free(sums);
    return r;
}

/* Horner's rule over the bits of one integer, most significant first. */
static bool read_uint(struct msgpack_reader *r, unsigned precision, struct fe *value)
{
    *value = FE_ZERO;
    for (unsigned j = 0; j < precision; j++) {
        struct fe x;
        if (!wire_read_element(r, &x))
            return false;
        *value = fe_add(fe_add(*value, *value), x);
    }
    return true;
}

int prio_total_share_to_uints(const void *total_share, size_t len, size_t n_data,
                              unsigned precision, uint8_t *out, size_t cap, size_t *out_len)
{
    if (total_share == NULL || out == NULL || out_len == NULL || precision < 1 ||
        precision > PRIO_MAX_PRECISION || n_data == 0 || n_data > PRIO_MAX_DATA ||
        n_data % precision != 0)
        return PRIO_E_ARG;
    const size_t n = n_data / precision;
    struct msgpack_reader r = reader_of(total_share, len);
    uint64_t id;
    if (!read_header(&r, &id, n_data))
        return PRIO_REJECT_PACKET;
    const size_t room = 1 + wire_vector_max(n);
    uint8_t *text = malloc(room);
    if (text == NULL)
        return PRIO_E_NOMEM;
    uint8_t *p = text + msgpack_write_fixint(text, (uint8_t)id);
    p += msgpack_write_array(p, (uint32_t)n);
    int status = PRIO_OK;
    for (size_t i = 0; i < n && status == PRIO_OK; i++) {
        struct fe value;
        if (read_uint(&r, precision, &value))
            p += wire_write_element(p, value);
        else
            status = PRIO_REJECT_PACKET;
    }
    const size_t written = (size_t)(p - text);
    if (status == PRIO_OK && written > cap)
        status = PRIO_E_ARG;
    if (status == PRIO_OK) {
        memcpy(out, text, written);
        *out_len = written;
    }
    secret_wipe(text, room);
    free(text);
    return status;
}
