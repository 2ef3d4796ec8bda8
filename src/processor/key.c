/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/key.h"

#include <stdarg.h>
#include <stdio.h>

int key_make(struct key *key, struct err *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const int len = vsnprintf(key->text, sizeof key->text, fmt, args);
    va_end(args);
    if (len < 0 || len > STORE_MAX_KEY)
        return err_set(err, E_ARG, 0, "a key of more than %d bytes: %.60s...", STORE_MAX_KEY,
                       key->text);
    return 0;
}
