/*
 * What the loops of pooling's common windows, forward (pool_windows.c) and backward (pool_windows_back.c), have in common. Both
 * are compiled with whole vectors and, where half vectors still have eight lanes, again with those.
 */
#ifndef CB_LAYERS_POOL_WINDOWS_H
#define CB_LAYERS_POOL_WINDOWS_H

#include "layers/pool.h"
#include <math.h>

/* Whether this compilation has a family, and what the family is called. */
#ifdef CB_HALF_VECTORS
#define POOL_WINDOWS CB_POOL_HALVES
#define WINDOWS      CB_NAME(cb_pool_half_windows)
#define WINDOWS_BACK CB_NAME(cb_pool_half_windows_back)
#else
#define POOL_WINDOWS 1
#define WINDOWS      CB_NAME(cb_pool_whole_windows)
#define WINDOWS_BACK CB_NAME(cb_pool_whole_windows_back)
#endif

#if POOL_WINDOWS
#include "gemm/vectors.h"

void WINDOWS_BACK(const cb_pool_run *run);

/* The longest rows that are served, in vectors of outputs and in outputs. */
enum { MOST_BLOCKS = 64 };
#ifdef CB_HALF_VECTORS
enum { MOST_OUT = LANES };
#else
enum { MOST_OUT = MOST_BLOCKS * LANES };
#endif

/* Constants of an instance reach its loops by inlining; under AddressSanitizer that takes the compiler minutes. */
#ifdef __SANITIZE_ADDRESS__
#define INSTANCE static inline
#else
#define INSTANCE INLINE
#endif

typedef enum { LARGEST, PLACED, AVERAGE, NORM } pool_result;

/* What the loops are made for: constants in each instance. edge: some lanes of a block, or their windows, leave the image. */
typedef struct {
  int K, S, edge;
  pool_result result;
} instance;

#define EDGE(how, is) ((instance){(how).K, (how).S, is, (how).result})

/* Elements of a plane that lies in the first cache: its blocks are done one after the other. In larger ones rows are, as
   they lie in memory, unless windows share them. */
enum { WALKED = 8192 };
#endif

#endif
