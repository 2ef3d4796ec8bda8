/* levels.h - one more level for the tests: vec_avx512ifma.c on a CPU without vpmadd52. */
#pragma once

#include "prio/kernels/vec.h"

void vec_ops_overlay_emulated(struct vec_ops *ops);
