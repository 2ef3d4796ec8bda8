/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/generate_sides.h"

#include "codec/uuid.h"

int generate_sides_init(struct generate_sides *s, const struct place places[N_SERVERS],
                        enum layout_name form, struct err *err)
{
    uint8_t random[16];
    const int r = random_bytes(random, sizeof random, err);
    if (r < 0)
        return r;
    uuid4_format(s->uuid, random);
    for (int i = 0; i < N_SERVERS; i++)
        part_out_init(&s->out[i], &places[i], s->uuid, form);
    return 0;
}

int generate_sides_below(struct generate_sides *s, const struct place *output, struct err *err)
{
    static const char *const names[N_SERVERS] = {"server_id=a", "server_id=b"};
    struct place places[N_SERVERS];
    for (int i = 0; i < N_SERVERS; i++) {
        s->dirs[i] = PLACE_KEY_INIT;
        places[i] = (struct place){output->store, place_key(&s->dirs[i], output, names[i], err)};
        if (!places[i].dir)
            return E_NOMEM;
    }
    return generate_sides_init(s, places, LAYOUT_PARTITION, err);
}

int generate_sides_close(struct generate_sides *s, struct err *err)
{
    int r = 0;
    for (int i = 0; i < N_SERVERS && r == 0; i++)
        r = part_out_close(&s->out[i], err);
    return r;
}

void generate_sides_deinit(struct generate_sides *s)
{
    for (int i = 0; i < N_SERVERS; i++) {
        part_out_deinit(&s->out[i]);
        buf_deinit(&s->dirs[i]);
    }
}
