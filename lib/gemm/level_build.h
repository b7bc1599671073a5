/*
 * One compilation of the sources that are built once for each type and level. The build says which, by
 *   CB_LEVEL      a name of base/levels.h: avx512
 *   CB_REAL_BITS  32 or 64
 * and here is what follows from them: the type, its vectors' size, the registers, and the names.
 */
#ifndef CB_GEMM_LEVEL_BUILD_H
#define CB_GEMM_LEVEL_BUILD_H

#include "base/levels.h"
#include <stdint.h>

#define CB_JOIN_(a, b) a##b
#define CB_JOIN(a, b)  CB_JOIN_(a, b)
#define CB_TEXT_(x)    #x
#define CB_TEXT(x)     CB_TEXT_(x)

/* The suffix of this compilation, f32_avx512, and a name that ends so: CB_NAME(cb_store) is cb_store_f32_avx512. */
#define CB_SUFFIX  CB_JOIN(CB_JOIN(f, CB_REAL_BITS), CB_JOIN(_, CB_LEVEL))
#define CB_NAME(x) CB_JOIN(x, CB_JOIN(_, CB_SUFFIX))

#define CB_LEVEL_ROW CB_JOIN(CB_LEVEL_, CB_LEVEL)
#define CB_REGISTERS CB_LEVEL_ROW(CB_LEVEL_REGISTERS)
#ifdef CB_HALF_VECTORS
#define CB_VECTOR_BYTES (CB_LEVEL_ROW(CB_LEVEL_BYTES) / 2)
#else
#define CB_VECTOR_BYTES CB_LEVEL_ROW(CB_LEVEL_BYTES)
#endif
#define CB_LANES (CB_VECTOR_BYTES * 8 / CB_REAL_BITS) /* elements of a vector */

#if CB_REAL_BITS == 32
typedef float real;
typedef uint32_t bits; /* an unsigned integer of an element's size */
#else
typedef double real;
typedef uint64_t bits;
#endif

#endif
