/*
 * Pooling by windows 2/2, 3/2 and 3/1 over planes of h and w alone (pool_windows.h): a row's outputs are cut into blocks of
 * LANES, the last one overlapping the one before; a row of fewer is one block. A plane is cut into bands of rows that the first
 * cache holds; in each band a block after the other is walked from top to bottom, and what the next windows share stays
 * in registers. Where windows share nothing, blocks that no edge tells apart are walked together, row after row, and channels without an
 * edge as one.
 *
 * And averages of whole channels, as at the end of ResNet: channels of 7 x 7 are so short that what a channel costs beside its
 * elements is what counts. A channel has SUMS running sums, as many at every level; those of SUMS channels are joined together,
 * neighbours by neighbours, until one vector has a sum of each channel.
 */
#include "base/size.h"
#include "layers/pool.h"

#if !defined CB_HALF_VECTORS || CB_POOL_HALVES
#include "layers/pool_windows.h"

/* The longest rows that are served, in blocks and in outputs; and the elements of a band: a Zen 3 fetches few rows ahead, and of rows
   that are wide those of one row of outputs, by which 3/2 took .6 to .8 of the time at 112 columns; at 24 and 56 it took 1.1 times. */
enum {
  MOST_BLOCKS = CB_LEVEL_ROW(CB_LEVEL_BYTES) == 64 ? 48 : 64, /* of a row: they lie on the stack */
  BAND = CB_LEVEL_ROW(CB_LEVEL_BYTES) == 32 ? 1024 : 8192,
  WIDE_ROW = CB_LEVEL_ROW(CB_LEVEL_BYTES) == 32 ? 96 : INT32_MAX /* elements */
};
#ifdef CB_HALF_VECTORS
enum { MOST_OUT = CB_POOL_HALVES };
#else
enum { MOST_OUT = MOST_BLOCKS * LANES };
#endif

#define EDGE(how, is) ((instance){(how).K, (how).S, (how).backward, is, (how).result})

/* Copies what an instance needs of a block into a variable that stores to arrays cannot change in the compiler's eyes. */
INSTANCE void take_block(block *b, const block *of, instance how)
{
  b->first = of->first;
  b->last = of->last;
  b->last_inside = of->last_inside;
  memcpy(b->from, of->from, sizeof b->from);
  memcpy(b->end, of->end, sizeof b->end);
  b->rows = 0;
  UNROLL for (int k = 0; k < how.K; k++)
  {
    if (how.edge) b->has[k] = of->has[k];
    if (how.edge) b->inside[k] = of->inside[k];
    if (how.result <= PLACED) b->column[k] = of->column[k];
    if (how.result == AVERAGE && (how.edge || how.backward)) b->counted[k] = of->counted[k];
    b->share[k] = (vector){0};
  }
  if (how.backward && how.result == PLACED) b->width = of->width;
}

/* Where the next of the blocks alike begins, behind the one that begins at `from`, both counted in outputs from the first one's
   beginning. */
INSTANCE int64_t next_alike(const block *b, int64_t from)
{
  return cb_min(from + LANES, b->last - b->first);
}

/* Output rows [oh, end) of channel i, in a block and those alike. `kept` are the rows that the windows of row oh share with those before
   it, unless oh is 0, and of row `end` afterwards. */
INSTANCE void walk(const cb_pool_run *p, int64_t i, const block *block_at, int64_t oh, int64_t end, best *kept,
                   instance how, mask *astray)
{
  const cb_pool_geometry *g = p->geo;
  block b;
  take_block(&b, block_at, how);
  const int shared = how.K - how.S;
  int64_t width = g->size[2], out = i * g->out_plane + oh * g->out[2] + b.first;
  int64_t h = oh * how.S - g->pad_begin[1];
  const real *x = (const real *)p->x + i * g->plane + h * width + b.first * how.S - g->pad_begin[2];
  const int64_t of_channel = how.K == how.S && g->rows < g->out[1] ? oh % g->rows : oh;
  int64_t left = g->rows - of_channel; /* output rows to the channel's end */
  ivector row = (integer)((of_channel * how.S - g->pad_begin[1]) * width) - (ivector){0};
  mask bad = *astray;
  best rows[3];
  UNROLL for (int k = 0; k < shared; k++, h++, x += width, row += (integer)width) if (oh) rows[k] = kept[k];
  else rows[k] = take_across(g, h, x, row, &b, 1, how, &bad);
  for (; oh < end; oh++, out += g->out[2]) {
    int64_t counted = how.result == AVERAGE ? rows_counted(g, oh, how) : how.K;
    bool inside = __builtin_expect(h >= 0 && h + how.S <= g->size[1], 1);
    for (int64_t j = 0;; j = next_alike(&b, j)) {
      const real *start = x + j * how.S;
      ivector place = row + (integer)(j * how.S);
#define NEW_ROWS(checked)                                                                                              \
  UNROLL for (int k = 0; k < how.S; k++) rows[shared + k] =                                                            \
      take_across(g, h + k, start + k * width, place + (integer)(k * width), &b, checked, how, &bad)
      if (inside)
        NEW_ROWS(0);
      else
        NEW_ROWS(1);
#undef NEW_ROWS
      best m = rows[0];
      UNROLL for (int k = 1; k < how.K; k++) m = join_rows(rows[k], m, how.result);
      put_result(m, finish(m, counted, &b, how, &bad), &b, (real *)p->y + out + j,
                 how.result == PLACED ? p->indices + out + j : NULL, how);
      if (how.K > how.S || how.edge || j == b.last - b.first) break;
    }
    UNROLL for (int k = 0; k < shared; k++) rows[k] = rows[how.S + k];
    h += how.S;
    x += how.S * width;
    row += (integer)(how.S * width);
    if (how.K == how.S && --left == 0) {
      left = g->rows;
      row -= (integer)(how.S * width * g->rows);
    }
  }
  UNROLL for (int k = 0; k < shared; k++) kept[k] = rows[k];
  *astray = bad;
}

/* Where S rows of dx are that an output row and those before it make: the output row and its first row of dx, lane 0's offsets
   in the run's outputs and inputs, and the place in the channel where that row begins. */
typedef struct {
  int64_t oh, h, out, in;
  ivector row;
} place;

/* Output row oh, which begins at `out` for lane 0, as take_row(); none if it does not exist. */
INSTANCE given row_if_any(const cb_pool_run *p, int64_t oh, int64_t out, ivector row, const block *b, int fresh,
                          instance how, mask *astray)
{
  if (oh < 0 || oh >= p->geo->out[1]) return no_row();
  return take_row(p, out, row, b, fresh, how, astray);
}

/* Sets the shares in averages of output row oh. */
INSTANCE void set_shares(block *b, const cb_pool_geometry *g, int64_t oh, instance how)
{
  if (how.result != AVERAGE || oh < 0 || oh >= g->out[1]) return;
  int64_t rows = rows_counted(g, oh, how);
  if (rows != b->rows)
    for (int t = 0; t < (how.K + how.S - 1) / how.S; t++) b->share[t] = 1 / ((real)rows * b->counted[t]);
  b->rows = rows;
}

/* Writes the S rows of dx at a place. They are in the image, and so is their output row, unless `checked`. rows[t] is the output
   row t before; all of them move on by one. */
INSTANCE void put_rows(const cb_pool_run *p, const place *at, given *rows, const block *b, int checked, instance how,
                       mask *astray)
{
  const int T = (how.K + how.S - 1) / how.S;
  const int all = how.K == how.S && !how.edge && !checked; /* every window has all its slots here */
  const int64_t width = p->geo->size[2];
  mask found = lanes_between(0, 0);
  rows[0] = row_if_any(p, at->oh, at->out, at->row, b, !all, how, astray);
  UNROLL for (int f = 0; f < how.S; f++)
  {
    vector slot[2];
    int64_t in = at->in + f * width;
    if (checked && (at->h + f < 0 || at->h + f >= p->geo->size[1])) continue;
    UNROLL for (int e = 0; e < how.S; e++) slot[e] =
        sum_slot(rows, b, at->row + (integer)(f * width), f, e, how, &found);
    put_slots((real *)p->dx + in, how.result == NORM ? (const real *)p->x + in : NULL, slot, b, how);
  }
  if (how.result == PLACED && all) *astray = either(*astray, (mask)~found);
  UNROLL for (int t = T - 1; t > 0; t--) rows[t] = rows[t - 1];
}

/* The slots of a block and those alike that output rows [oh, end) of channel i make, those beyond the last one too. */
INSTANCE void walk_back(const cb_pool_run *p, int64_t i, const block *block_at, int64_t oh, int64_t end, instance how,
                        mask *astray)
{
  const cb_pool_geometry *g = p->geo;
  block b;
  take_block(&b, block_at, how);
  const int64_t width = g->size[2], lines = how.S * width, ow = g->out[2];
  place at = {.oh = oh, .h = oh * how.S - g->pad_begin[1], .out = i * g->out_plane + oh * ow + b.first};
  at.in = i * g->plane + at.h * width + b.first * how.S - g->pad_begin[2];
  const int64_t of_channel = how.K == how.S && g->rows < g->out[1] ? oh % g->rows : oh;
  int64_t left = g->rows - of_channel; /* output rows to the channel's end */
  at.row = (integer)((of_channel * how.S - g->pad_begin[1]) * width) - (ivector){0};
  mask bad = *astray;
  given rows[3];
  UNROLL for (int t = (how.K - 1) / how.S; t > 0; t--)
  {
    set_shares(&b, g, oh - t, how);
    rows[t] = row_if_any(p, oh - t, at.out - t * ow, at.row, &b, 0, how, &bad);
  }
  for (; at.oh < end; at.oh++, at.h += how.S, at.out += ow, at.in += lines, at.row += (integer)lines) {
    set_shares(&b, g, at.oh, how);
    bool inside = __builtin_expect(at.oh < g->out[1] && at.h >= 0 && at.h + how.S <= g->size[1], 1);
    for (int64_t j = 0;; j = next_alike(&b, j)) {
      const place there = {at.oh, at.h, at.out + j, at.in + j * how.S, at.row + (integer)(j * how.S)};
      if (inside)
        put_rows(p, &there, rows, &b, 0, how, &bad);
      else
        put_rows(p, &there, rows, &b, 1, how, &bad);
      if (how.K > how.S || how.edge || j == b.last - b.first) break;
    }
    if (how.K == how.S && --left == 0) {
      left = g->rows;
      at.row -= (integer)(lines * g->rows);
    }
  }
  *astray = bad;
}

/* ---- both ---- */

/* Runs planes [from, p->planes) until one goes astray, and returns it; p->planes if none does. */
INSTANCE int64_t each_plane(const cb_pool_run *p, int64_t from, instance how)
{
  const cb_pool_geometry *g = p->geo;
  block blocks[MOST_BLOCKS + 1];
  best kept[MOST_BLOCKS + 1][2];
  int64_t count = 0, band = g->size[2] < WIDE_ROW ? cb_max(1, BAND / (how.S * g->size[2])) : 1;
  int64_t across = how.backward ? cb_ceil_div(g->size[2] + g->pad_begin[2], how.S) : g->out[2];
  int64_t down = how.backward ? cb_ceil_div(g->size[1] + g->pad_begin[1], how.S) : g->out[1];
  /* Of places that a caller gives any may be wrong, which the blocks that begin at the first output see. */
  const int64_t begin = how.backward && how.S == 1 && how.result != PLACED ? cb_min(g->pad_begin[2], across - 1) : 0;
  for (int64_t first = begin; first < across; first += LANES) {
    block *b = &blocks[count];
    open_block(b, g, cb_max(begin, cb_min(first, across - LANES)), how);
    if (how.K == how.S && count && !b->edge && !b[-1].edge)
      b[-1].last = b->first;
    else
      count++;
  }
  for (int64_t i = from; i < p->planes; i++) {
    mask astray = lanes_between(0, 0);
    for (int64_t oh = 0; oh < down; oh += band)
      for (const block *b = blocks; b < blocks + count; b++) {
        int64_t end = cb_min(oh + band, down);
#define WALK(edge)                                                                                                     \
  if (how.backward)                                                                                                    \
    walk_back(p, i, b, oh, end, EDGE(how, edge), &astray);                                                             \
  else                                                                                                                 \
    walk(p, i, b, oh, end, kept[b - blocks], EDGE(how, edge), &astray)
        if (b->edge) {
          WALK(1);
        } else {
          WALK(0);
        }
#undef WALK
      }
    if (any(astray)) return i;
  }
  return p->planes;
}

/* The loops for a result and direction: those of the windows that serves() takes. */
#define EACH_WINDOW(backward, result)                                                                                  \
  return run->geo->kernel[2] == 2   ? each_plane(run, from, (instance){2, 2, backward, 0, result})                     \
         : run->geo->stride[2] == 2 ? each_plane(run, from, (instance){3, 2, backward, 0, result})                     \
                                    : each_plane(run, from, (instance){3, 1, backward, 0, result})

/* What each_plane() says of the forward, and of the gradient. Not inlined: a plane that went astray is done again when their
   blocks have left the stack. */
static __attribute__((noinline)) int64_t forward_from(const cb_pool_run *run, int64_t from)
{
  if (run->geo->kind == CNNBLAS_POOL_L2) EACH_WINDOW(0, NORM);
  if (run->geo->kind == CNNBLAS_POOL_AVG) EACH_WINDOW(0, AVERAGE);
  if (run->indices) EACH_WINDOW(0, PLACED);
  EACH_WINDOW(0, LARGEST);
}

static __attribute__((noinline)) int64_t backward_from(const cb_pool_run *run, int64_t from)
{
  if (run->geo->kind == CNNBLAS_POOL_L2) return each_plane(run, from, (instance){2, 2, 1, 0, NORM});
  if (run->geo->kind == CNNBLAS_POOL_AVG) EACH_WINDOW(1, AVERAGE);
  EACH_WINDOW(1, PLACED);
}

/* The most elements of channels that are joined: 8 x 8 won 1.1 to 1.2 (Zen 3), 24 x 24 lost up to .92. */
enum { MOST_JOINED = 256 };

/* The run with its channels below each other as one plane, *tall being its geometry, where windows that share nothing cover every
   channel: short channels then cost no more than their elements. Else the run as it is. */
static cb_pool_run join_channels(const cb_pool_run *run, cb_pool_geometry *tall)
{
  const cb_pool_geometry *g = run->geo;
  cb_pool_run joined = *run;
  for (int axis = 1; axis < 3; axis++)
    if (g->kernel[axis] != g->stride[axis] || g->pad_begin[axis] || g->size[axis] != g->stride[axis] * g->out[axis])
      return joined;
  if (g->plane > MOST_JOINED || run->planes > INT32_MAX / 2 / g->plane) return joined;
  *tall = *g;
  tall->size[1] *= run->planes;
  tall->out[1] *= run->planes;
  tall->plane *= run->planes;
  tall->out_plane *= run->planes;
  joined.geo = tall;
  joined.planes = 1;
  return joined;
}

static void forward(const cb_pool_run *run)
{
  cb_pool_geometry tall;
  const cb_pool_run joined = join_channels(run, &tall);
  if (joined.planes < run->planes && forward_from(&joined, 0) == 1) return;
  for (int64_t i = 0; (i = forward_from(run, i)) < run->planes; i++) {
    const cb_pool_run again = cb_pool_channel(run, i);
    CB_NAME(cb_pool_rows).forward(&again);
  }
}

static void backward(const cb_pool_run *run)
{
  cb_pool_geometry tall;
  const cb_pool_run joined = join_channels(run, &tall);
  if (joined.planes < run->planes && backward_from(&joined, 0) == 1) return;
  for (int64_t i = 0; (i = backward_from(run, i)) < run->planes; i++) {
    const cb_pool_run again = cb_pool_channel(run, i);
    CB_NAME(cb_pool_rows).backward(&again);
  }
}

/* Square windows over two axes whose rows are not too long; places of lanes beside the plane fit in 32 bits as well. The gradient
   of a norm only for windows of 2 x 2 that cover the image: the share that an element without a window gets is 0, and 0 times
   an infinite x is no 0. */
static bool serves(const cb_pool_geometry *g, bool gradient)
{
  const int64_t k = g->kernel[2], s = g->stride[2];
  if (g->adaptive || !((k == 2 && s == 2) || (k == 3 && (s == 1 || s == 2))) || g->kernel[1] != k ||
      g->stride[1] != s || g->dilation[1] != 1 || g->dilation[2] != 1 || g->size[0] != 1 || g->kernel[0] != 1 ||
      g->out[2] > MOST_OUT || g->plane >= INT32_MAX / 2)
    return false;
  if (!gradient || g->kind != CNNBLAS_POOL_L2) return true;
  return k == 2 && !g->pad_begin[1] && !g->pad_begin[2] && 2 * g->out[1] == g->size[1] && 2 * g->out[2] == g->size[2];
}

#ifdef CB_HALF_VECTORS
const cb_pool_family CB_NAME(cb_pool_half_windows) = {serves, forward, backward};
#else
const cb_pool_family CB_NAME(cb_pool_whole_windows) = {serves, forward, backward};

/* ---- averages of whole channels ---- */

/* LEAF: the elements of a channel that are summed in the arrays' type; the sums of longer channels are then added in double. */
enum { SUMS = 16, VECTORS = SUMS / LANES, LEAF = 64 * SUMS };

static bool is_whole(const cb_pool_geometry *g, bool gradient)
{
  (void)gradient;
  if (g->kind != CNNBLAS_POOL_AVG || g->out_plane != 1 || g->adaptive) return false;
  for (int axis = 0; axis < 3; axis++)
    if (g->kernel[axis] != g->size[axis] || g->pad_begin[axis] || (g->dilation[axis] != 1 && g->size[axis] > 1))
      return false;
  return true;
}

/* Sets sum[p] to the sum of the first `count` elements of channel p; of the last channel, where there are fewer than SUMS. */
static void sum_channels(int64_t count, int64_t channels, int64_t pitch, const real *x, vector sum[VECTORS])
{
  vector v[SUMS * VECTORS];
  mask rest[VECTORS];
  const int64_t whole = count / SUMS * SUMS;
  UNROLL for (int k = 0; k < VECTORS; k++) rest[k] = lanes_between(0, count - whole - k * LANES);
  for (int p = 0; p < SUMS; p++) {
    const real *from = x + cb_min(p, channels - 1) * pitch;
    vector part[VECTORS];
    UNROLL for (int k = 0; k < VECTORS; k++) part[k] = load_kept(rest[k], from + whole + k * LANES);
    for (int64_t i = 0; i < whole; i += SUMS)
      UNROLL for (int k = 0; k < VECTORS; k++) part[k] += *(const vector *)(from + i + k * LANES);
    UNROLL for (int k = 0; k < VECTORS; k++) v[p * VECTORS + k] = part[k];
  }
  UNROLL for (int half = SUMS * VECTORS / 2; half >= VECTORS; half /= 2) UNROLL for (int k = 0; k < half; k++) v[k] =
      take_even(v[2 * k], v[2 * k + 1]) + take_odd(v[2 * k], v[2 * k + 1]);
  memcpy(sum, v, VECTORS * sizeof *sum);
}

static void average(const cb_pool_run *run)
{
  const int64_t count = run->geo->plane;
  for (int64_t i = 0; i < run->planes; i += SUMS) {
    const real *x = (const real *)run->x + i * count;
    const int64_t channels = cb_min(SUMS, run->planes - i);
    vector sum[VECTORS];
    double total[SUMS] = {0};
    for (int64_t from = 0; from < count; from += LEAF) {
      sum_channels(cb_min(LEAF, count - from), channels, count, x + from, sum);
      for (int p = 0; p < SUMS; p++) total[p] += (double)((const real *)sum)[p];
    }
    for (int64_t p = 0; p < channels; p++) ((real *)run->y)[i + p] = (real)(total[p] / (double)count);
  }
}

static void average_back(const cb_pool_run *run)
{
  const int64_t count = run->geo->plane;
  for (int64_t i = 0; i < run->planes; i++) {
    real *dx = (real *)run->dx + i * count;
    vector shares = ((const real *)run->dy)[i] / (real)count - (vector){0};
    for (int64_t j = 0; j + LANES <= count; j += LANES) *(vector *)(dx + j) = shares;
    if (count >= LANES)
      *(vector *)(dx + count - LANES) = shares;
    else
      put(dx, shares, count);
  }
}

const cb_pool_family CB_NAME(cb_pool_whole) = {is_whole, average, average_back};
#endif
#endif
