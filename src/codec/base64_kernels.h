/* base64_kernels.h - the versions behind base64_ops; the contract stands there. Nobody outside this
 * module and its tests needs it. */
#pragma once

#include "codec/base64.h"

ptrdiff_t base64_decode_c(uint8_t *out, const uint8_t *in, size_t len);
size_t base64_encode_c(uint8_t *out, const uint8_t *in, size_t n);

#if defined(__x86_64__)
ptrdiff_t base64_decode_avx2(uint8_t *out, const uint8_t *in, size_t len);
size_t base64_encode_avx2(uint8_t *out, const uint8_t *in, size_t n);
#endif
