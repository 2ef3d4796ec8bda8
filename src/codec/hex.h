/* hex.h - base 16. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Exactly 2 * n digits in any case, nothing else. Time: depends on n only. @return false (out
 * zeroed) otherwise. */
bool hex_decode(uint8_t *out, size_t n, const char *text, size_t text_len);
/** Upper case, with a terminating NUL: out holds 2 * n + 1 bytes. Time: depends on n only. */
void hex_encode(char *out, const uint8_t *in, size_t n);
