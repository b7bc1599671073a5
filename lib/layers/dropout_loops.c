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

enum { BLOCKS = CB_VECTOR_BYTES / 8, ROUNDS = 10, TOGETHER = CB_REGISTERS >= 32 ? 4 : 2 };
enum { GROUP = 1024 /* elements whose bits are made at a time */ };

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

/* The words of a vector of blocks, in the blocks' order. */
INLINE void put_words(const words c[4], words *to)
{
  words a = (c[0] & 0xffffffffu) | c[1] << 32, b = (c[2] & 0xffffffffu) | c[3] << 32;
#if CB_VECTOR_BYTES == 64
  to[0] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  to[1] = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#elif CB_VECTOR_BYTES == 32
  to[0] = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  to[1] = __builtin_shufflevector(a, b, 2, 6, 3, 7);
#else
  to[0] = __builtin_shufflevector(a, b, 0, 2);
  to[1] = __builtin_shufflevector(a, b, 1, 3);
#endif
}

/* Blocks `first` and on of the stream, TOGETHER vectors of them, four words each: a vector's ten rounds wait for each other, so that
   several vectors have theirs in turns. */
INLINE void random_blocks(uint64_t key, uint64_t stream, uint64_t first, uint32_t *to)
{
  static const uint64_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  words c[TOGETHER][4];
  UNROLL for (int t = 0; t < TOGETHER; t++)
  {
    c[t][0] = *(const words *)numbers + (first + (uint64_t)(t * BLOCKS));
    c[t][1] = c[t][0] >> 32;
    c[t][2] = (words){0} + stream;
    c[t][3] = c[t][2] >> 32;
  }
  UNROLL for (int round = 0; round < ROUNDS; round++)
  {
    UNROLL for (int t = 0; t < TOGETHER; t++)
    {
      words a = product(c[t][0], 0xD2511F53u), b = product(c[t][2], 0xCD9E8D57u);
      c[t][0] = (b >> 32) ^ c[t][1] ^ k0;
      c[t][2] = (a >> 32) ^ c[t][3] ^ k1;
      c[t][1] = b;
      c[t][3] = a;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  UNROLL for (int t = 0; t < TOGETHER; t++) put_words(c[t], (words *)to + 2 * t);
}

/* Each iteration reads its own element before writing it, so y == x is as good as apart. */
static void drop(const cb_dropout_piece *piece, const void *from, void *to)
{
  const real *x = from, gain = (real)piece->gain;
  const uint32_t limit = piece->limit;
  real *y = to;
  uint32_t drawn[GROUP] __attribute__((aligned(CB_VECTOR_BYTES)));
  for (int64_t begin = 0; begin < piece->count; begin += GROUP) {
    int64_t count = piece->count - begin < GROUP ? piece->count - begin : GROUP;
    uint64_t block = (uint64_t)(piece->from + begin) / 4;
    for (int64_t i = 0; i < count; i += 4 * BLOCKS * TOGETHER, block += BLOCKS * TOGETHER)
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
