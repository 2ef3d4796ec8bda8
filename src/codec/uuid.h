/* uuid.h - RFC 9562 version 4. */
#pragma once

#include <stdint.h>

enum { UUID_TEXT_BYTES = 37 };

/** Lower-case text of the UUIDv4 made from 16 random bytes. */
void uuid4_format(char out[UUID_TEXT_BYTES], const uint8_t random[16]);
