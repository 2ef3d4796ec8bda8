/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/toml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count;

/* Every value is what it says, below its limits; lines do not leave the text. */
static void check(const struct toml_value *v, unsigned depth)
{
    if (depth > TOML_MAX_DEPTH || ++count > TOML_MAX_VALUES + 1 || v->line == 0)
        abort();
    if ((v->kind == TOML_STRING || v->kind == TOML_TIME) != (v->text != NULL))
        abort();
    if (v->kind != TOML_TABLE && v->kind != TOML_ARRAY && v->first)
        abort();
    for (const struct toml_value *m = v->first; m; m = m->next) {
        if ((v->kind == TOML_TABLE) != (m->key != NULL))
            abort();
        if (m->key && toml_member(v, m->key) == NULL)
            abort();
        check(m, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct toml *toml;
    struct err err = {0};
    const int r = toml_parse(&toml, span_of(data, size), "fuzz", &err);
    if (r < 0) {
        if (r != E_FORMAT || err.text[0] == '\0')
            abort();
        return 0;
    }
    count = 0;
    check(toml_root(toml), 0);
    toml_free(toml);
    return 0;
}
