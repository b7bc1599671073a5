/*
 * Direct convolution with 3 x 3 taps, at stride 1 with any dilation and dense at stride 2, in the rows of plain NCHW, where
 * vector registers are few (planes_square.c needs more for its sums): nine weights stay in registers, and each row of x
 * is met once.
 *
 *     for each group, each block of output rows, each output, each vector of columns
 *       for each source: its weights, spread over vectors
 *         for each row of x: its vectors, multiplied for the sums of the output rows that it meets, three or two
 *           store the row whose sums are complete, or add it to those of the sources before
 *
 * Planes of one source whose rows fill one or two vectors go down one after the other within one call.
 *
 * Dilated rows are dealt out to as many phases, in each of which they follow each other. The products of one tap row are a
 * chain of multiply-adds. An output is the sum of such chains, over its tap rows first and then over its sources.
 *
 * A vector of columns may reach beside the row of x, into memory that belongs to its neighbours. Where an output would count
 * such elements, the load is masked, and they are zeros. Where no output counts them, they are read as they are if they
 * lie in the array, into lanes that are not kept.
 */
#include "gemm/planes_down.h"
#include "gemm/planes_down_parts.h"

enum { WIDE_BLOCK = 7 /* output rows of a block of a plane that is not narrow */ };

/* A vector of columns: its masks, its function, and the planes [from, to) for which that may be used: the loads of those
   before and behind would leave the array. */
typedef struct {
  masks at;
  int function;
  int64_t from, to;
  int64_t o, low; /* the first output; the first element of a row of x that vectors touch */
} columns;

/* What goes down columns: row i of x, which the first output row's first tap row meets; the first output row; how many
   output rows; where the weights lie, in rising order of what they meet; some vectors of columns, which go down one after
   the other; and how many planes, with elements from one to the next. */
typedef struct {
  const real *x;
  real *y;
  int64_t in, out, i, end; /* elements from a row of x to the next that is met, and of y; row i of x; rows of x */
  int64_t hop, step;       /* rows of x from one that is met to the next; elements from a tap column to the next */
  int64_t rows;
  const real *weights;
  int64_t lower, right; /* elements from a tap row to the next, from a tap column to the next */
  const columns *k;
  int count; /* vectors of columns */
  bool add;
  int64_t planes, x_pitch, y_pitch, weight_pitch;
} job;

typedef void (*down_function)(const job *j);

/* How sums are stored: by whole vectors, or added by whole vectors, of which lanes without an output stay as they are; or
   in parts, which touch nothing else and take longer. */
typedef enum { WHOLE, ADDED, PARTS } stores;

/* The sum of a tap row's products. */
INLINE vector sum_of(const vector w[TAPS], const vector tap[TAPS])
{
  vector sum = w[0] * tap[0];
  UNROLL for (int c = 1; c < TAPS; c++) sum += w[c] * tap[c];
  return sum;
}

/* Stores a row's sums. `add`, in parts: what y holds is added. */
INLINE void store_row(const square s, const stores whole, bool add, const masks *v, real *y, vector sum)
{
  if (s.stride == 2) sum = far(sum);
  if (whole != PARTS) {
    if (whole == ADDED) sum = *(const vector *)y + keep(v->out, sum);
    *(vector *)y = sum;
    return;
  }
  if (add) sum += load_kept(v->out, y);
  put_if(v->out, y, sum);
}

/* A row of x at stride 1: ends the sums of the output row at y, adds to the next one's, and begins the sums of one. */
INLINE void step_by_1(const job *j, const square s, const int masked, const stores whole, const masks *v, int64_t step,
                      const vector *w, const real *x, real *y, vector sum, vector *next, vector *last)
{
  vector tap[TAPS + 1];
  OPAQUE(v); /* masks are fetched from memory: the weights need the registers */
  load_row(s, masked, v, step, x, tap);
  store_row(s, whole, j->add, v, y, sum + sum_of(w + 2 * TAPS, tap));
  *next += sum_of(w + TAPS, tap);
  *last = sum_of(w, tap);
}

/* Goes down a column at stride 1: a row of x ends the sums of one output row, adds to the next, and begins one. */
INLINE void down_by_1(const job *j, const square s, const int masked, const stores whole, const columns *k,
                      const real *x, real *y, const vector *w)
{
  const int64_t in = j->in, out = j->out, step = j->step;
  const uint64_t end = (uint64_t)j->end, hop = (uint64_t)j->hop;
  const masks *v = &k->at;
  uint64_t i = (uint64_t)j->i;
  int64_t rest = j->rows;
  vector next = {0}, sum = {0}, last, tap[TAPS + 1];
  x += k->low, y += k->o;
  if (i < end) {
    load_row(s, masked, v, step, x, tap);
    sum = sum_of(w, tap);
  }
  i += hop, x += in;
  if (i < end) {
    load_row(s, masked, v, step, x, tap);
    sum += sum_of(w + TAPS, tap);
    next = sum_of(w, tap);
  }
  for (i += hop, x += in; rest > 2; rest--, i += hop, x += in, y += out) {
    for (; rest > 4 && i < end && i + 2 * hop < end; rest -= 3, i += 3 * hop, x += 3 * in, y += 3 * out) {
      step_by_1(j, s, masked, whole, v, step, w, x, y, sum, &next, &last);
      step_by_1(j, s, masked, whole, v, step, w, x + in, y + out, next, &last, &sum);
      step_by_1(j, s, masked, whole, v, step, w, x + 2 * in, y + 2 * out, last, &sum, &next);
    }
    if (rest == 2) break;
    last = (vector){0};
    if (i < end)
      step_by_1(j, s, masked, whole, v, step, w, x, y, sum, &next, &last);
    else
      store_row(s, whole, j->add, v, y, sum);
    sum = next;
    next = last;
  }
  if (rest > 1) {
    if (i < end) {
      load_row(s, masked, v, step, x, tap);
      sum += sum_of(w + 2 * TAPS, tap);
      next += sum_of(w + TAPS, tap);
    }
    store_row(s, whole, j->add, v, y, sum);
    sum = next;
    i += hop, x += in, y += out;
  }
  if (i < end) {
    load_row(s, masked, v, step, x, tap);
    sum += sum_of(w + 2 * TAPS, tap);
  }
  store_row(s, whole, j->add, v, y, sum);
}

/* Goes down a column at stride 2: every second row of x ends the sums of one output row and begins those of the next. */
INLINE void down_by_2(const job *j, const square s, const int masked, const stores whole, const columns *k,
                      const real *x, real *y, const vector *w)
{
  const int64_t in = j->in, out = j->out;
  const uint64_t end = (uint64_t)j->end;
  const masks *v = &k->at;
  uint64_t i = (uint64_t)j->i;
  vector sum = {0}, tap[TAPS + 1];
  x += k->low, y += k->o;
  if (i < end) {
    load_row(s, masked, v, 1, x, tap);
    sum = sum_of(w, tap);
  }
  for (int64_t rest = j->rows; rest > 0; rest--, y += out) {
    vector next = {0};
    i++, x += in;
    if (i < end) {
      load_row(s, masked, v, 1, x, tap);
      sum += sum_of(w + TAPS, tap);
    }
    i++, x += in;
    if (i < end) {
      load_row(s, masked, v, 1, x, tap);
      sum += sum_of(w + 2 * TAPS, tap);
      next = sum_of(w, tap);
    }
    store_row(s, whole, j->add, v, y, sum);
    sum = next;
  }
}

INLINE void go_down(const job *j, const square s, const int masked, const stores whole)
{
  const real *x = j->x, *weights = j->weights;
  real *y = j->y;
  for (int64_t n = j->planes; n > 0; n--, x += j->x_pitch, y += j->y_pitch, weights += j->weight_pitch) {
    vector w[TAPS * TAPS];
    const real *from = weights;
    UNROLL for (int t = 0; t < TAPS; t++, from += j->lower) UNROLL for (int c = 0; c < TAPS; c++)
    {
      w[t * TAPS + c] = from[c * j->right] - (vector){0};
      OPAQUE_VECTOR(w[t * TAPS + c]);
    }
    for (int c = 0; c < j->count; c++)
      if (s.stride == 1)
        down_by_1(j, s, masked, whole, &j->k[c], x, y, w);
      else
        down_by_2(j, s, masked, whole, &j->k[c], x, y, w);
  }
}

/* The instances for a stride: by the loads that need masks at the edges of rows, then those that touch nothing beside
   the row; first those that store, then those that add, and last the one that stores in parts. */
#define DOWN(NAME, STRIDE, MASKED, STORES)                                                                             \
  static void NAME(const job *j)                                                                                       \
  {                                                                                                                    \
    go_down(j, (square){TAPS, TAPS, STRIDE, 1, 0, 1, true}, MASKED, STORES);                                           \
  }
#define DOWNS_OF(NAME, STRIDE, LAST, STORES)                                                                           \
  DOWN(NAME##_inside, STRIDE, NONE, STORES)                                                                            \
  DOWN(NAME##_first, STRIDE, 1, STORES)                                                                                \
  DOWN(NAME##_last, STRIDE, LAST, STORES)                                                                              \
  DOWN(NAME##_only, STRIDE, 1 | LAST, STORES)                                                                          \
  DOWN(NAME##_apart, STRIDE, EVERY, STORES)
#define NAMES_OF(NAME) NAME##_inside, NAME##_first, NAME##_last, NAME##_only, NAME##_apart
#define DOWNS(NAME, STRIDE, LAST)                                                                                      \
  DOWNS_OF(NAME##_whole, STRIDE, LAST, WHOLE)                                                                          \
  DOWNS_OF(NAME##_added, STRIDE, LAST, ADDED)                                                                          \
  DOWN(NAME##_part, STRIDE, EVERY, PARTS)                                                                              \
  static const down_function NAME[] = {NAMES_OF(NAME##_whole), NAMES_OF(NAME##_added), NAME##_part};
DOWNS(down_1, 1, 4)
DOWNS(down_2, 2, 8)
enum { INSIDE, AT_FIRST, AT_LAST, ONLY, APART, KINDS, PART = 2 * KINDS };

/* Opens the vector of columns from o on. Masks of one whose loads need none are made if `always`. */
INLINE void columns_open(columns *k, const call *q, const square s, int64_t step, int64_t o, const bool always)
{
  const cb_plane *p = q->plane;
  const int64_t rest = q->outs - o < LANES ? q->outs - o : LANES, in = p->w.in, low = o * s.stride + q->low;
  const int64_t high = low + (s.stride == 1 ? (TAPS - 1) * step : TAPS - 1) + s.stride * LANES;
  k->o = o;
  k->low = low;
  k->function = INSIDE;
  k->from = 0;
  k->to = p->planes;
  k->at.out = lanes_between(0, rest);
  if (!always && rest == LANES && low >= 0 && high <= in && !p->add) return; /* no mask of a load is looked at */
  const int first = load_bit(s, 0, 0), last = load_bit(s, loads_of(s) - 1, s.stride - 1);
  const int edges = masks_open(&k->at, s, low, step, rest, in, false);
  if (edges == first)
    k->function = AT_FIRST;
  else if (edges == last)
    k->function = AT_LAST;
  else if (edges != NONE)
    k->function = edges == (first | last) ? ONLY : APART;
  const int64_t end = (p->h.in - 1) * in + high; /* behind the last element of a plane that is touched */
  const int64_t sources = (p->channels - 1) * p->x_channel + (p->depths - 1) * p->x_depth;
  while (k->from < k->to && k->from * p->x_pitch + low < -p->before) k->from++;
  while (k->to > k->from && (k->to - 1) * p->x_pitch + sources + end > p->after) k->to--;
  if (p->x_depth < 0) k->to = 0;
  if (p->add || (rest < LANES && p->w.out >= LANES)) k->function = PART;
}

/* What all columns of a phase share: rows which, which + dilation, ... of the outputs. */
typedef struct {
  const call *q;
  const down_function *functions;
  const real *weights; /* the first tap's, in rising order of what taps meet */
  job j;
  int64_t which, dilation, rows;
} phase;

/* Computes rows [o, end) of the phase for a vector of columns of output m of group n, a source after the other. Elements
   before y_end are written by this call, and later: a whole vector may be stored where a narrow row ends. */
INLINE void run_column(phase *f, const square s, const columns *k, int64_t n, int64_t m, const real *y_end, int64_t o,
                       int64_t end)
{
  const cb_plane *p = f->q->plane;
  job *j = &f->j; /* copied, it would be read before what was written to it is in the cache */
  const int64_t row = f->which + o * f->dilation;
  j->i = row * s.stride + f->q->rows.at[0];
  j->rows = end - o;
  j->y = (real *)p->y + n * p->y_pitch + m * p->y_out + row * p->w.out;
  j->k = k;
  j->add = p->add;
  int function = n >= k->from && n < k->to ? k->function : APART;
  const bool narrow_row = p->w.out < LANES;
  if (k->function == PART || (narrow_row && (f->dilation > 1 || j->y + k->o + (end - o - 1) * j->out + LANES > y_end)))
    function = PART;
  const real *x = (const real *)p->x + n * p->x_pitch + j->i * p->w.in;
  const real *weights = f->weights + n * p->weight_pitch + m * p->weight_out;
  for (int64_t d = 0; d < p->depths; d++)
    for (int64_t c = 0; c < p->channels; c++) {
      j->x = x + d * p->x_depth + c * p->x_channel;
      j->weights = weights + d * p->weight_depth + c * p->weight_channel;
      f->functions[function](j);
      if (function < KINDS) function += KINDS;
      j->add = true;
    }
}

/* Computes rows [o, end) of the phase of output m of group n. */
INLINE void run_block(phase *f, const square s, const columns *first, const columns *last, int64_t n, int64_t m,
                      int64_t o, int64_t end)
{
  const call *q = f->q;
  const cb_plane *p = q->plane;
  const int64_t plane = p->h.out * p->w.out;
  /* With several blocks the next output's first rows are older than this one's last. */
  const bool joined = p->y_pitch == p->outs * plane && (p->outs == 1 || (p->y_out == plane && f->rows <= BLOCK_ROWS));
  const real *y_end = (real *)p->y + n * p->y_pitch + m * p->y_out + plane;
  if (joined) y_end = (real *)p->y + p->planes * p->y_pitch;
  run_column(f, s, first, n, m, y_end, o, end);
  for (int64_t c = LANES; c + LANES < q->outs; c += LANES) {
    columns middle;
    columns_open(&middle, q, s, f->j.step, c, false);
    run_column(f, s, &middle, n, m, y_end, o, end);
  }
  if (q->outs > LANES) run_column(f, s, last, n, m, y_end, o, end);
}

/* Computes planes of one source, from n on, whose rows fill at most two vectors, while no function for the edges of the array
   is needed. Returns the first plane that is left. */
INLINE int64_t run_small(phase *f, const columns at[2], int64_t n)
{
  const call *q = f->q;
  const cb_plane *p = q->plane;
  job *j = &f->j;
  const int count = q->outs > LANES ? 2 : 1, function = at[0].function | at[count - 1].function;
  const int64_t plane = p->h.out * p->w.out, row = plane - p->w.out; /* the last row */
  int64_t to = p->planes;
  for (int c = 0; c < count; c++) {
    if (at[c].from > n) return n;
    to = at[c].to < to ? at[c].to : to;
  }
  if (function >= APART || p->channels * p->depths != 1 || p->outs != 1 || f->dilation != 1 || p->h.out > BLOCK_ROWS)
    return n;
  if (p->y_pitch != plane) return n;
  while (count == 1 && to > n && (to - 1) * plane + row + LANES > p->planes * plane) to--;
  if (to <= n) return n;
  j->i = f->q->rows.at[0];
  j->rows = p->h.out;
  j->k = at;
  j->count = count;
  j->planes = to - n;
  j->x = (const real *)p->x + n * p->x_pitch + j->i * p->w.in;
  j->y = (real *)p->y + n * p->y_pitch;
  j->weights = f->weights + n * p->weight_pitch;
  f->functions[function](j);
  j->count = 1;
  j->planes = 1;
  return to;
}

/* Computes all phases of rows of a plane before those of the next: what they read lies side by side. */
INLINE void run_planes(phase *f, const square s)
{
  const call *q = f->q;
  const cb_plane *p = q->plane;
  const int64_t step = q->outs > NARROW ? WIDE_BLOCK : BLOCK_ROWS, dilation = f->dilation;
  const bool small = q->outs <= 2 * LANES;
  columns at[2] = {{.o = 0}};
  columns_open(&at[0], q, s, f->j.step, 0, small);
  if (q->outs > LANES)
    columns_open(&at[1], q, s, f->j.step, p->add ? (q->outs - 1) / LANES * LANES : q->outs - LANES, small);
  for (int64_t n = 0; n < p->planes; n++) {
    if (small && (n = run_small(f, at, n)) == p->planes) break;
    for (f->which = 0; f->which < dilation && f->which < p->h.out; f->which++) {
      f->rows = dilation == 1 ? p->h.out : (p->h.out - f->which + dilation - 1) / dilation;
      for (int64_t o = 0; o < f->rows; o += step)
        for (int64_t m = 0; m < p->outs; m++)
          run_block(f, s, &at[0], &at[1], n, m, o, o + step < f->rows ? o + step : f->rows);
    }
  }
}

bool CB_NAME(cb_correlate_down)(const cb_plane *p)
{
  if (!goes_down(p)) return false;
  const call q = call_of(p, false, 0);
  const int64_t dilation = p->h.step < 0 ? -p->h.step : p->h.step;
  const bool turned = q.rows.tap[1] < q.rows.tap[0];
  phase f = {.q = &q, .functions = p->w.stride == 1 ? down_1 : down_2, .dilation = dilation};
  f.j = (job){.in = dilation * p->w.in,
              .out = dilation * p->w.out,
              .end = p->h.in,
              .hop = dilation,
              .step = p->w.step < 0 ? -p->w.step : p->w.step,
              .lower = turned ? -TAPS : TAPS,
              .right = q.flip_columns ? -1 : 1,
              .count = 1,
              .planes = 1,
              .x_pitch = p->x_pitch,
              .y_pitch = p->y_pitch,
              .weight_pitch = p->weight_pitch};
  f.weights = (const real *)p->weights + (turned ? (TAPS - 1) * TAPS : 0) + q.flip_columns;
  if (p->w.stride == 1)
    run_planes(&f, (square){TAPS, TAPS, 1, 1, 0, 1, true});
  else
    run_planes(&f, (square){TAPS, TAPS, 2, 1, 0, 1, true});
  return true;
}
