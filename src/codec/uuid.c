/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/uuid.h"

void uuid4_format(char out[UUID_TEXT_BYTES], const uint8_t random[16])
{
    static const char digits[] = "0123456789abcdef";
    char *p = out;
    for (int i = 0; i < 16; i++) {
        unsigned byte = random[i];
        if (i == 6)
            byte = (byte & 0x0f) | 0x40; // version 4
        if (i == 8)
            byte = (byte & 0x3f) | 0x80; // the RFC's variant
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = digits[byte >> 4];
        *p++ = digits[byte & 15];
    }
    *p = '\0';
}
