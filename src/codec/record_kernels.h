/* record_kernels.h - the versions behind record_ops; the contract stands there. */
#pragma once

#include "codec/record.h"

const uint8_t *record_string_end_c(const uint8_t *p, const uint8_t *end);

#if defined(__x86_64__)
const uint8_t *record_string_end_avx2(const uint8_t *p, const uint8_t *end);
#endif
