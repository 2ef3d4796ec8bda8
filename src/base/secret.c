/* SPDX-License-Identifier: MPL-2.0 */
#include "base/secret.h"

#include <stdint.h>
#include <string.h>

void secret_wipe(void *p, size_t n)
{
    if (n > 0)
        explicit_bzero(p, n);
}

bool secret_equal(const void *a, const void *b, size_t n)
{
    // volatile: the compiler may not see that the loop could stop at the first difference.
    const volatile uint8_t *x = a, *y = b;
    unsigned differences = 0;
    for (size_t i = 0; i < n; i++)
        differences |= (unsigned)x[i] ^ (unsigned)y[i];
    return differences == 0;
}
