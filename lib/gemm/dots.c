/*
 * The second hot loop: products of whole vectors, summed over steps and then over lanes. It serves weight gradients
 * with images on the lanes, where both operands are vectors and what is left is a number.
 *
 *     step:   m vectors of a (from L2, so few), nv vectors of b, m * nv multiply-adds       the sums live in registers
 *     end:    the vectors of sums are added up lane by lane, as many at once as a vector has lanes: a transposition
 *             that adds the two halves after each of its exchanges
 */
#include "gemm/engine_build.h"
#include "gemm/lane_sums.h"

/* c[i][j] += the lanes of sum[i * nv + j]. */
INLINE void finish(const cb_dots *t, const int m, const int nv, const vector *sum)
{
  enum { MOST = CB_DOTS_M * CB_DOTS_NV };
  real total[MOST + LANES];
  UNROLL for (int first = 0; first < m * nv; first += LANES)
  {
    vector v[LANES];
    UNROLL for (int i = 0; i < LANES; i++) v[i] = first + i < m * nv ? sum[first + i] : (vector){0};
    *(vector *)(total + first) = fold(v, LANES);
  }
  real *c = t->c;
  for (int i = 0; i < m; i++)
    for (int j = 0; j < nv; j++) c[i * t->ldc + j] += total[i * nv + j];
}

INLINE void multiply(const cb_dots *t, const int m, const int nv)
{
  const real *a = t->a, *b[CB_DOTS_NV];
  const int32_t *walk = t->walk;
  const int64_t pitch = t->pitch;
  UNROLL for (int j = 0; j < nv; j++) b[j] = (const real *)t->b + t->col[j];
  vector sum[CB_DOTS_M * CB_DOTS_NV];
  UNROLL for (int i = 0; i < m * nv; i++) sum[i] = (vector){0};
  for (int64_t s = 0; s < t->steps; s++, a += LANES) {
    vector y[CB_DOTS_M];
    UNROLL for (int i = 0; i < m; i++) y[i] = *(const vector *)(a + i * pitch);
    UNROLL for (int j = 0; j < nv; j++)
    {
      vector x = *(const vector *)(b[j] + walk[s]);
      UNROLL for (int i = 0; i < m; i++) sum[i * nv + j] += y[i] * x;
    }
  }
  finish(t, m, nv, sum);
}

#define DEFINE_DOTS(M, NV)                                                                                             \
  void CB_NAME(cb_dots_##M##x##NV)(const cb_dots *dots)                                                                \
  {                                                                                                                    \
    multiply(dots, M, NV);                                                                                             \
  }
CB_DOTS(DEFINE_DOTS)
