/*
 * Dropout's elements: Philox4x32-10 (cnnblas_random_bits says which number is whose), as many blocks at a time as a vector has
 * 64-bit lanes. Each of a block's four words lies in the lower half of a lane; what a product leaves in the upper half, the next
 * product does not read.
 *
 * An element has half a word of its own block, and is dropped where that is below the limit's upper half. Where the two are equal,
 * once in 65536 elements, half a word of another block decides.
 */
#include "layers/dropout_loops.h"
#include "gemm/vectors.h"
#include <cnnblas/layers.h>
#if defined __SSE2__ && !defined __AVX__
#include <emmintrin.h>
#endif

typedef uint64_t words __attribute__((vector_size(CB_VECTOR_BYTES), aligned(8), may_alias));
typedef uint32_t halves __attribute__((vector_size(CB_VECTOR_BYTES), aligned(4), may_alias));

enum { BLOCKS = CB_VECTOR_BYTES / 8, ROUNDS = 10, TOGETHER = CB_REGISTERS >= 32 ? 4 : 2 };
enum {
  DRAWS = 8,   /* elements that a block decides about */
  GROUP = 1024 /* elements whose draws are made at a time */
};

static const uint32_t first_factor = 0xD2511F53u, second_factor = 0xCD9E8D57u;

/* Lane i has block order[i] of a vector, such that weaving pairs of neighbouring lanes puts the blocks in order; the blocks' two
   halves as they lie in memory; and the halves of each lane exchanged. */
#if CB_VECTOR_BYTES == 64
static const uint64_t order[] = {0, 4, 1, 5, 2, 6, 3, 7};
#define WEAVE_EVEN 0, 8, 2, 10, 4, 12, 6, 14
#define WEAVE_ODD  1, 9, 3, 11, 5, 13, 7, 15
#define SWAPPED    1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14
#elif CB_VECTOR_BYTES == 32
static const uint64_t order[] = {0, 2, 1, 3};
#define WEAVE_EVEN 0, 4, 2, 6
#define WEAVE_ODD  1, 5, 3, 7
#define SWAPPED    1, 0, 3, 2, 5, 4, 7, 6
#else
static const uint64_t order[] = {0, 1};
#define WEAVE_EVEN 0, 2
#define WEAVE_ODD  1, 3
#define SWAPPED    1, 0, 3, 2
#endif

/* The keys of the rounds, each in the lower halves of a vector. */
typedef struct {
  words first[ROUNDS], second[ROUNDS];
} schedule;

static void set_keys(schedule *keys, uint64_t key)
{
  uint32_t first = (uint32_t)key, second = (uint32_t)(key >> 32);
  for (int round = 0; round < ROUNDS; round++) {
    keys->first[round] = (words){0} + first;
    keys->second[round] = (words){0} + second;
    first += 0x9E3779B9u;
    second += 0xBB67AE85u;
  }
}

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

/* The lanes with their halves exchanged, and the lower halves of `low` joined to what has come there by exclusive or. */
INLINE words two_words(words a, words low)
{
  return (words)__builtin_shufflevector((halves)a, (halves)a, SWAPPED) ^ (low & 0xffffffffu);
}

/* The draws of a group's elements, the first of which is the first of block `first` of the stream. In the first rounds of a group's
   blocks, whose numbers differ in their lower words alone, half of the words are the same in all of them. A vector's rounds
   wait for each other, so that several vectors have theirs in turns. */
static void draw(const schedule *keys, uint64_t stream, uint64_t first, int64_t count, uint16_t *to)
{
  const uint64_t b0 = (uint64_t)(uint32_t)stream * second_factor;
  const uint32_t word0 = (uint32_t)(b0 >> 32) ^ (uint32_t)(first >> 32) ^ (uint32_t)keys->first[0][0];
  const uint64_t a1 = (uint64_t)word0 * first_factor;
  const words key2_0 = keys->second[0] ^ (stream >> 32), key0_1 = keys->first[1] ^ (uint32_t)b0;
  const words key2_1 = keys->second[1] ^ (a1 >> 32), key2_2 = keys->second[2] ^ (uint32_t)a1;
  words counted = product(*(const words *)order + (uint32_t)first, first_factor);
  for (int64_t i = 0; i < count; i += DRAWS * BLOCKS * TOGETHER) {
    words c[TOGETHER][4];
    UNROLL for (int t = 0; t < TOGETHER; t++)
    {
      c[t][2] = (counted >> 32) ^ key2_0;
      words b = product(c[t][2], second_factor);
      c[t][0] = (b >> 32) ^ key0_1;
      c[t][2] = counted ^ key2_1;
      words a = product(c[t][0], first_factor);
      c[t][3] = product(c[t][2], second_factor);
      c[t][0] = (c[t][3] >> 32) ^ b ^ keys->first[2];
      c[t][1] = c[t][3];
      c[t][2] = (a >> 32) ^ key2_2;
      c[t][3] = a;
      counted += (uint64_t)BLOCKS * first_factor;
    }
    UNROLL for (int round = 3; round < ROUNDS - 1; round++) UNROLL for (int t = 0; t < TOGETHER; t++)
    {
      words a = product(c[t][0], first_factor), b = product(c[t][2], second_factor);
      c[t][0] = (b >> 32) ^ c[t][1] ^ keys->first[round];
      c[t][2] = (a >> 32) ^ c[t][3] ^ keys->second[round];
      c[t][1] = b;
      c[t][3] = a;
    }
    UNROLL for (int t = 0; t < TOGETHER; t++)
    {
      words a = product(c[t][0], first_factor), b = product(c[t][2], second_factor);
      words low = two_words(b, c[t][1]) ^ keys->first[ROUNDS - 1];
      words high = two_words(a, c[t][3]) ^ keys->second[ROUNDS - 1];
      words *place = (words *)(to + i) + 2 * t;
      place[0] = __builtin_shufflevector(low, high, WEAVE_EVEN);
      place[1] = __builtin_shufflevector(low, high, WEAVE_ODD);
    }
  }
}

/* Whether the limit's lower half drops element e, whose draw is the limit's upper half. */
static bool is_below(const cb_dropout_piece *piece, int64_t e)
{
  uint32_t block[4];
  cnnblas_random_bits(piece->key, piece->image, (uint64_t)e / DRAWS | (uint64_t)1 << 63, block);
  return (block[e % DRAWS / 2] >> 16 * (e % 2) & 0xffff) < (piece->limit & 0xffff);
}

/* Each iteration reads its own element before writing it, so y == x is as good as apart. */
static void drop(const cb_dropout_piece *piece, const void *from, void *to)
{
  const real gain = (real)piece->gain;
  const uint16_t limit = (uint16_t)(piece->limit >> 16);
  uint16_t drawn[GROUP] __attribute__((aligned(CB_VECTOR_BYTES)));
  schedule keys;
  set_keys(&keys, piece->key);
  for (int64_t begin = 0; begin < piece->count; begin += GROUP) {
    const int64_t count = piece->count - begin < GROUP ? piece->count - begin : GROUP;
    const real *x = (const real *)from + begin;
    real *y = (real *)to + begin;
    uint16_t equal = 0;
    draw(&keys, piece->image, (uint64_t)(piece->from + begin) / DRAWS, count, drawn);
#pragma GCC ivdep
    for (int64_t i = 0; i < count; i++) {
      real kept = x[i] * gain;
      y[i] = drawn[i] < limit ? 0 : kept;
    }
    for (int64_t i = 0; i < count; i++) equal |= drawn[i] == limit ? 1 : 0;
    for (int64_t i = 0; equal && i < count; i++)
      if (drawn[i] == limit && is_below(piece, piece->from + begin + i)) y[i] = 0;
  }
}

extern const cb_dropout_loops CB_NAME(cb_dropout_loops);
const cb_dropout_loops CB_NAME(cb_dropout_loops) = {drop};
