/*
 * Moving between the two orders of a matrix: packing lanes from rows, and storing a finished tile, straight or transposed,
 * with its epilogue. Transposition goes by blocks of 4 x 4 in registers; what is left over goes element by element.
 */
#include "gemm/engine_build.h"
#include <string.h>

/* v[i][j] becomes v[j][i]. */
static inline void transpose(quad v[4])
{
  quad a = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5), b = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7);
  quad c = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5), d = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
  v[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  v[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  v[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  v[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

enum { PACK_STEPS = 512 }; /* a stretch of steps: its lanes stay in L2, its rows are long enough to prefetch */

/* Steps [s0, s1) of cb_pack_lanes. */
static void pack_stretch(real *dst, const real *src, int64_t ld, int64_t s0, int64_t s1, int64_t count, int64_t width)
{
  int64_t j = 0;
  for (; j + 4 <= count; j += 4) {
    const real *in = src + j * ld;
    int64_t s = s0;
    for (; s + 4 <= s1; s += 4) {
      quad v[4];
      for (int i = 0; i < 4; i++) v[i] = *(const quad *)(in + i * ld + s);
      transpose(v);
      for (int i = 0; i < 4; i++) *(quad *)(dst + (s + i) * width + j) = v[i];
    }
    for (; s < s1; s++)
      for (int i = 0; i < 4; i++) dst[s * width + j + i] = in[i * ld + s];
  }
  for (; j < width; j++)
    for (int64_t s = s0; s < s1; s++) dst[s * width + j] = j < count ? src[j * ld + s] : 0;
}

void CB_NAME(cb_pack_lanes)(void *to, const void *from, int64_t ld, int64_t steps, int64_t count, int64_t width)
{
  for (int64_t s = 0; s < steps; s += PACK_STEPS)
    pack_stretch(to, from, ld, s, s + PACK_STEPS < steps ? s + PACK_STEPS : steps, count, width);
}

/* One element through the epilogue. */
static inline void finish(const cb_store *t, int64_t i, int64_t j)
{
  const real *bias = t->bias, *residual = t->residual;
  int64_t at = i * t->row_step + j * t->lane_step;
  real *out = (real *)t->out + at, value = ((const real *)t->c)[i * t->ldc + j];
  if (t->add) value = *out + value;
  if (bias) value += bias[t->bias_rows ? i : j];
  if (residual) value += residual[at];
  *out = t->relu && value < 0 ? 0 : value;
}

/* max(0, v), NaN staying. */
static inline quad relu(quad v)
{
  for (int i = 0; i < 4; i++) v[i] = v[i] < 0 ? 0 : v[i];
  return v;
}

/* Four neighbours in out through the epilogue; bias holds theirs. */
static inline void finish_quad(const cb_store *t, int64_t at, quad value, quad bias)
{
  quad *out = (quad *)((real *)t->out + at);
  if (t->add) value = *out + value;
  if (t->bias) value += bias;
  if (t->residual) value += *(const quad *)((const real *)t->residual + at);
  *out = t->relu ? relu(value) : value;
}

/* Rows are neighbours in out: blocks of four rows and four lanes, transposed. */
static void store_transposed(const cb_store *t)
{
  const real *c = t->c, *bias = t->bias;
  int64_t whole_m = t->m & ~(int64_t)3, whole_j = t->count & ~(int64_t)3;
  for (int64_t j = 0; j < whole_j; j += 4) {
    for (int64_t i = 0; i < whole_m; i += 4) {
      quad v[4];
      for (int l = 0; l < 4; l++) v[l] = *(const quad *)(c + (i + l) * t->ldc + j);
      transpose(v);
      for (int l = 0; l < 4; l++) {
        quad b = bias ? (quad){bias[j + l], bias[j + l], bias[j + l], bias[j + l]} : (quad){0};
        finish_quad(t, i + (j + l) * t->lane_step, v[l], b);
      }
    }
    for (int64_t l = j; l < j + 4; l++)
      for (int64_t i = whole_m; i < t->m; i++) finish(t, i, l);
  }
  for (int64_t j = whole_j; j < t->count; j++)
    for (int64_t i = 0; i < t->m; i++) finish(t, i, j);
}

/* Lanes are neighbours in out. */
static void store_straight(const cb_store *t)
{
  const real *c = t->c, *bias = t->bias;
  for (int64_t i = 0; i < t->m; i++) {
    int64_t j = 0;
    for (; j + 4 <= t->count; j += 4) {
      quad b = bias ? (quad){bias[i], bias[i], bias[i], bias[i]} : (quad){0};
      finish_quad(t, i * t->row_step + j, *(const quad *)(c + i * t->ldc + j), b);
    }
    for (; j < t->count; j++) finish(t, i, j);
  }
}

/* Any steps, no epilogue: what the stage of a strided input gradient takes. */
static void store_plain(const cb_store *t)
{
  const real *c = t->c;
  real *out = t->out;
  for (int64_t j = 0; j < t->count; j++)
    for (int64_t i = 0; i < t->m; i++) out[i * t->row_step + j * t->lane_step] = c[i * t->ldc + j];
}

void CB_NAME(cb_store)(const cb_store *t)
{
  if (t->row_step == 1 && !t->bias_rows)
    store_transposed(t);
  else if (t->lane_step == 1 && (t->bias_rows || !t->bias))
    store_straight(t);
  else if (!t->add && !t->bias && !t->residual && !t->relu)
    store_plain(t);
  else
    for (int64_t j = 0; j < t->count; j++)
      for (int64_t i = 0; i < t->m; i++) finish(t, i, j);
}
