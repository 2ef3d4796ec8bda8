/* SPDX-License-Identifier: MPL-2.0 */
/* Avro container files: header, schema, blocks, records. */
#include "codec/avro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory_source memory = {span_of(data, size), 0};
    CLEANUP(avro_reader_closep) struct avro_reader *r = NULL;
    const struct avro_value *value;
    if (avro_reader_open(&r, memory_source(&memory), "input", NULL) < 0)
        return 0;
    while (avro_read(r, &value, NULL) == 1) {
        double x;
        const struct avro_value *field = avro_field(value, "client_id");
        if (field)
            (void)avro_number(&x, field);
    }
    return 0;
}
