/* utf8.h - is it UTF-8? */
#pragma once

#include "base/span.h"

#include <stdbool.h>

/** Length of the well-formed character (RFC 3629) at s, at most len > 0 bytes; 0: there is none. */
size_t utf8_length(const unsigned char *s, size_t len);
bool utf8_is_valid(struct span text);
