/* secret.h - wiping and comparing secrets. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** Overwrite n bytes in a way that the compiler may not drop. p may be NULL when n is 0. */
void secret_wipe(void *p, size_t n);

/** Compare n bytes. Time: depends on n only. */
bool secret_equal(const void *a, const void *b, size_t n);
