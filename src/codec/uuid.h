/* uuid.h - RFC 9562, versions 4 and 8. */
#pragma once

#include <stdint.h>

enum { UUID_TEXT_BYTES = 37 };

/** Lower-case text of the UUIDv4 made from 16 random bytes. */
void uuid4_format(char out[UUID_TEXT_BYTES], const uint8_t random[16]);
/** The same of version 8: 16 bytes of a meaning of our own. */
void uuid8_format(char out[UUID_TEXT_BYTES], const uint8_t bytes[16]);
