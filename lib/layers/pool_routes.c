/*
 * The gradient of a maximum by windows of 3 x 3 with stride 1, over planes of h and w alone: each element of dx is written once, as
 * the sum, in the outputs' order, of dy over the nine windows that hold it, of those whose index names it. The three output rows
 * that a row of dx needs lie in a ring of lines with margins, whose places name nothing, so that no load needs a mask. A line is
 * filled a row ahead: what has just been stored is slow to load at another alignment.
 *
 * An index outside its window is only noticed here: the plane is then done again by loops that look after it (pool_rows.c).
 */
#include "base/size.h"
#include "gemm/vectors.h"
#include "layers/pool.h"

enum { K = 3, MARGIN = K - 1, MOST = 512 /* outputs of a row */, PITCH = MOST + 2 * MARGIN + 2 * LANES };

/* Entry j + MARGIN of a line belongs to output j of a row. */
typedef struct {
  real error[PITCH];
  integer at[PITCH];
} line;

/* Of each output of a row: the first column of its window that is in the image, and how many are. */
typedef struct {
  integer begin[MOST + LANES], width[MOST + LANES];
} columns;

static void set_columns(columns *c, const cb_pool_geometry *g)
{
  for (int64_t j = 0; j < g->out[2]; j++) {
    int64_t first = j - g->pad_begin[2], end = cb_min(first + K, g->size[2]);
    c->begin[j] = (integer)cb_max(0, first);
    c->width[j] = (integer)(end - cb_max(0, first));
  }
}

/* Lane by lane the smaller one, where a negative integer counts as larger than all others. */
INLINE ivector least(ivector a, ivector b)
{
#if defined __AVX2__ && CB_REAL_BITS == 32
  return (ivector)WIDE(min_epu32)((wide_integers)a, (wide_integers)b);
#else
  return choose_integer(at_least(a, b), b, a);
#endif
}

/* Copies outputs j, j + 1, ... of a row into a line; returns the lanes whose index is outside its window, `row` being the place in front
   of the windows' first row. */
INLINE mask copy_outputs(const real *dy, const int32_t *indices, int64_t j, ivector row, int64_t width,
                         const columns *c, line *to)
{
  const ivector at = __builtin_convertvector(*(const narrow *)(indices + j), ivector),
                whole = (integer)width - (ivector){0};
  *(vector *)(to->error + MARGIN + j) = *(const vector *)(dy + j);
  memcpy(to->at + MARGIN + j, &at, sizeof at);
  ivector inside = at - row - *(const ivector *)(c->begin + j);
  UNROLL for (int k = 1; k < K; k++) inside = least(inside, inside - whole);
  return at_least(inside, *(const ivector *)(c->width + j));
}

/* Output row oh of a plane, as a line; one that does not exist names nothing. */
static mask take_line(const cb_pool_run *plane, int64_t oh, const columns *c, line *to)
{
  const cb_pool_geometry *g = plane->geo;
  const int64_t ow = g->out[2], width = g->size[2];
  const ivector row = (integer)((oh - g->pad_begin[1]) * width) - (ivector){0};
  mask astray = lanes_between(0, 0);
  if (oh < 0 || oh >= g->out[1]) {
    memset(to->at, -1, (size_t)(ow + MARGIN) * sizeof *to->at);
    return astray;
  }
  const real *dy = (const real *)plane->dy + oh * ow;
  const int32_t *indices = plane->indices_in + oh * ow;
  for (int64_t j = 0; j < ow; j += LANES)
    astray = either(astray, copy_outputs(dy, indices, cb_min(j, ow - LANES), row, width, c, to));
  return astray;
}

/* Row h of dx from lines[0], [1] and [2], those of the output rows that its windows begin in. */
static void put_row(const cb_pool_geometry *g, int64_t h, const line *const lines[K], real *dx)
{
  const int64_t width = g->size[2];
  const ivector row = counting() + (integer)(h * width);
  for (int64_t i = 0; i < width; i += LANES) {
    const int64_t w = cb_min(i, width - LANES);
    const ivector here = row + (integer)w;
    vector sum = {0};
    UNROLL for (int r = 0; r < K; r++) UNROLL for (int t = 0; t < K; t++)
    {
      const int64_t at = w + g->pad_begin[2] + t;
      sum = add_kept(same(*(const ivector *)(lines[r]->at + at), here), sum, *(const vector *)(lines[r]->error + at));
    }
    *(vector *)(dx + h * width + w) = sum;
  }
}

static void backward(const cb_pool_run *run)
{
  const cb_pool_geometry *g = run->geo;
  line ring[K + 1];
  columns c;
  memset(ring, 0, sizeof ring);
  for (int r = 0; r <= K; r++) memset(ring[r].at, -1, sizeof ring[r].at);
  set_columns(&c, g);
  for (int64_t i = 0; i < run->planes; i++) {
    cb_pool_run plane = cb_pool_channel(run, i);
    mask astray = lanes_between(0, 0);
    const line *lines[K];
    for (int64_t h = -K; h < g->size[1]; h++) {
      astray = either(astray, take_line(&plane, h + 1 + g->pad_begin[1], &c, &ring[(h + K) % (K + 1)]));
      for (int r = 0; r < K; r++) lines[r] = &ring[(h + K + 1 + r) % (K + 1)];
      if (h >= 0) put_row(g, h, lines, plane.dx);
    }
    if (any(astray)) CB_NAME(cb_pool_rows).backward(&plane);
  }
}

/* Rows of at least a vector's outputs, at AVX2, where it was measured: with masks in registers of their own, and more registers,
   pool_windows.c needs no lines. */
static bool serves(const cb_pool_geometry *g, bool gradient)
{
#if !defined __AVX2__ || defined __AVX512F__
  return (void)g, (void)gradient, false;
#else
  if (!gradient || g->kind != CNNBLAS_POOL_MAX || g->adaptive || g->size[0] != 1 || g->kernel[0] != 1) return false;
  for (int axis = 1; axis < 3; axis++)
    if (g->kernel[axis] != K || g->stride[axis] != 1 || g->dilation[axis] != 1) return false;
  return g->out[2] >= LANES && g->size[2] >= LANES && g->out[2] <= MOST && g->plane < INT32_MAX / 2;
#endif
}

const cb_pool_family CB_NAME(cb_pool_routes) = {serves, NULL, backward};
