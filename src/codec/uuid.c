/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/uuid.h"

static void format(char out[UUID_TEXT_BYTES], const uint8_t bytes[16], unsigned version)
{
    static const char digits[] = "0123456789abcdef";
    char *p = out;
    for (int i = 0; i < 16; i++) {
        unsigned byte = bytes[i];
        if (i == 6)
            byte = (byte & 0x0f) | version << 4;
        if (i == 8)
            byte = (byte & 0x3f) | 0x80; // the RFC's variant
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = digits[byte >> 4];
        *p++ = digits[byte & 15];
    }
    *p = '\0';
}

void uuid4_format(char out[UUID_TEXT_BYTES], const uint8_t random[16])
{
    format(out, random, 4);
}

void uuid8_format(char out[UUID_TEXT_BYTES], const uint8_t bytes[16])
{
    format(out, bytes, 8);
}
