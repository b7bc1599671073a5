/*
 * Dropout's elements: Philox4x32-10 (cnnblas_random_bits says which number is whose), as many blocks at a time as a vector has
 * 64-bit lanes. Each of a block's four words lies in the lower half of a lane; what a product leaves in the upper half, the next
 * product does not read.
 */
#include "layers/dropout_loops.h"
#include "gemm/vectors.h"
#if defined __SSE2__ && !defined __AVX__
#include <emmintrin.h>
#endif

typedef uint64_t words __attribute__((vector_size(CB_VECTOR_BYTES), aligned(8), may_alias));

enum { BLOCKS = CB_VECTOR_BYTES / 8, ROUNDS = 10, GROUP = 1024 /* elements whose bits are made at a time */ };

/* The whole product of the lanes' lower halves with a word. */
INLINE words product(words a, uint32_t word)
{
  words b = (words){0} + word;
#ifdef __AVX__
  return (words)WIDE(mul_epu32)((wide_integers)a, (wide_integers)b);
#elif defined __SSE2__
  return (words)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xffffffffu) * b;
#endif
}

/* Blocks `first`, ..., first + BLOCKS - 1 of the stream, in order: four words each. */
INLINE void random_blocks(uint64_t key, uint64_t stream, uint64_t first, uint32_t *to)
{
  words index = (words){0} + first;
  for (int i = 0; i < BLOCKS; i++) index[i] += (uint64_t)i;
  words c0 = index, c1 = index >> 32, c2 = (words){0} + stream, c3 = c2 >> 32;
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  UNROLL for (int round = 0; round < ROUNDS; round++)
  {
    words a = product(c0, 0xD2511F53u), b = product(c2, 0xCD9E8D57u);
    c0 = (b >> 32) ^ c1 ^ k0;
    c2 = (a >> 32) ^ c3 ^ k1;
    c1 = b;
    c3 = a;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  words pairs[2] = {(c0 & 0xffffffffu) | c1 << 32, (c2 & 0xffffffffu) | c3 << 32};
  for (int i = 0; i < BLOCKS; i++) {
    memcpy(to + 4 * i, (const char *)&pairs[0] + 8 * i, 8);
    memcpy(to + 4 * i + 2, (const char *)&pairs[1] + 8 * i, 8);
  }
}

/* Each iteration reads its own element before writing it, so y == x is as good as apart. */
static void drop(const cb_dropout_piece *piece, const void *from, void *to)
{
  const real *x = from, gain = (real)piece->gain;
  const uint32_t limit = piece->limit;
  real *y = to;
  uint32_t drawn[GROUP];
  for (int64_t begin = 0; begin < piece->count; begin += GROUP) {
    int64_t count = piece->count - begin < GROUP ? piece->count - begin : GROUP;
    uint64_t block = (uint64_t)(piece->from + begin) / 4;
    for (int64_t i = 0; i < count; i += 4 * BLOCKS, block += BLOCKS)
      random_blocks(piece->key, piece->image, block, drawn + i);
#pragma GCC ivdep
    for (int64_t i = 0; i < count; i++) {
      real kept = x[begin + i] * gain;
      y[begin + i] = drawn[i] < limit ? 0 : kept;
    }
  }
}

extern const cb_dropout_loops CB_NAME(cb_dropout_loops);
const cb_dropout_loops CB_NAME(cb_dropout_loops) = {drop};
