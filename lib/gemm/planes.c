/*
 * Direct convolution of planes in plain NCHW, for groups of few channels; depthwise is one channel a group:
 *
 *     y[group][m][oh][ow] (+)= sum over sources i and taps of  weights[group][m][i][th][tw] * x[group][i][ih][iw]
 *
 * with ih, iw where the tap meets the output (engine.h). Pixels of a row stand on the lanes. A block of rows of x is
 * copied to a band with zeros at its sides (plane_band.h), so that every load is a whole vector and the loop knows no
 * edges:
 *
 *     for each group (narrow planes: several side by side), each block of output rows, each strip of columns
 *       band = the rows of x that they read
 *       for some outputs m, some output rows, each vector of columns
 *         for each source, each tap: load the rows' vectors, multiply-add them by the outputs' weights
 *         store
 *
 * 3 x 3 and 5 x 5 taps of one source and one output have loops of their own (planes_square.c), and so have 3 x 3 taps of
 * any number where registers are few (planes_down.c), and long rows at stride 1 (planes_strips.c). An output is one chain of
 * multiply-adds a pass: sources, then tap rows, then taps; of planes_down.c a chain a tap row, added in this order.
 * Nothing beside x is ever read.
 */
#include "gemm/plane_band.h"
#include "gemm/planes_down.h"

#if CB_REGISTERS == 32
enum { MAIN_ROWS = 7 };
#else
enum { MAIN_ROWS = 4 };
#endif

enum {
  MOST_OUTPUTS = 4,  /* the most outputs of a group at a time */
  MOST_ROWS = 7,     /* the most output rows at a time */
  MOST_SUMS = 16,    /* the most vectors of sums */
  WIDE = 16 * LANES, /* columns of y beyond which strips are faster than squares */
  CHAIN = 192        /* the most multiply-adds of a chain: no sum grows long */
};

/* A block: rows [o0, o1) and a strip of columns of one plane, or of several side by side, of outputs from m0 on. */
typedef struct {
  const pass *g;
  const real *const *row;   /* rows of the band: row[0] is the first that output row o0 reads, of source 0 */
  const real *zeros;        /* a row of the band, for rows beside the image */
  int64_t columns, column0; /* the strip's columns of the phase, and the first of them */
  int64_t planes;           /* planes side by side */
  int64_t o0, o1;
  const real *weights;   /* the weights of the first plane and output m0 */
  const vector *wide;    /* the weights spread over vectors; NULL: they are not spread */
  real *y;               /* where the strip's first output of row o0 goes, of the first plane and output m0 */
  int64_t y_row;         /* elements of y from one row of the phase to the next */
  int64_t y_columns;     /* columns of y in the strip: those of both phases, if they are interleaved */
  bool spill;            /* a whole vector may be stored where the row ends: the next rows write again what it spoils */
  const real *spill_end; /* no whole vector may reach beyond it */
  mask side_lanes[SIDE_PLANES][2]; /* the lanes of each plane's outputs, in each of two vectors if interleaved */
} block;

/* Computes the sums of R rows from o on, M outputs and F phases, for a vector of columns from the strip's `at` on. */
INLINE void sum_any(const block *b, const int M, const int R, const int F, int64_t o, int64_t at, vector *sum)
{
  const pass *g = b->g;
  const cb_plane *p = g->plane;
  const int64_t stride = g->rows.stride;
  const real *const *row = b->row + (o - b->o0) * stride;
  const vector *wide = b->wide;
  UNROLL for (int k = 0; k < R * M * F; k++) sum[k] = (vector){0};
  for (int64_t i = 0; i < g->sources; i++) {
    const real *w = b->weights + g->weight[i];
    for (int64_t t = 0; t < g->rows.count; t++) {
      const int64_t down = g->rows.at[t] - g->row_low;
      const real *x[MOST_ROWS];
      UNROLL for (int r = 0; r < R; r++)
      {
        x[r] = row[r * stride + down];
        x[r] += at + (x[r] == b->zeros ? 0 : i * g->source_pitch);
      }
      const real *wt = w + g->rows.tap[t] * p->w.taps;
      UNROLL for (int f = 0; f < F; f++) for (int64_t c = 0; c < g->columns[f].count; c++)
      {
        const int64_t offset = g->offset[f][c];
        vector v[MOST_ROWS];
        UNROLL for (int r = 0; r < R; r++) v[r] = *(const vector *)(x[r] + offset);
        UNROLL for (int m = 0; m < M; m++)
        {
          vector each;
          if (wide)
            each = wide[m];
          else
            each = wt[m * p->weight_out + g->columns[f].tap[c]] - (vector){0};
          UNROLL for (int r = 0; r < R; r++) sum[(m * R + r) * F + f] += each * v[r];
        }
        if (wide) wide += M;
      }
    }
  }
}

/* Stores the rows of planes side by side in their places: `to` is the first plane's first output. */
INLINE void store_side(const block *b, const int F, real *to, const vector *v)
{
  const pass *g = b->g;
  const int64_t pitch = g->plane->y_pitch, side = g->side;
  for (int64_t n = 0; n < b->planes; n++, to += pitch) UNROLL for (int i = 0; i < F; i++)
    {
      real *base = to - F * n * side + i * LANES;
      vector sum = v[i];
      if (g->add) sum += load_kept(b->side_lanes[n][i], base);
      put_if(b->side_lanes[n][i], base, sum);
    }
}

/* Stores a row of a single phase, whose outputs lie apart. */
static void store_apart(const block *b, real *to, int64_t count, vector v)
{
  const int64_t step = b->g->columns[0].out_step;
  for (int64_t l = 0; l < count && l < LANES; l++) to[l * step] = b->g->add ? to[l * step] + v[l] : v[l];
}

/* Stores one row of sums, whose lane 0 is column `at` of the strip, in y, where the strip's first output is at `to`. */
INLINE void store_row(const block *b, const int F, real *to, int64_t at, const vector *sum)
{
  const pass *g = b->g;
  vector v[2] = {sum[0], sum[0]};
  if (F == 2) v[0] = weave_low(sum[0], sum[1]), v[1] = weave_high(sum[0], sum[1]);
  if (b->planes > 1) {
    store_side(b, F, to, v);
    return;
  }
  if (F == 1 && g->columns[0].out_step > 1) {
    store_apart(b, to + at * g->columns[0].out_step, b->columns - at, v[0]);
    return;
  }
  UNROLL for (int i = 0; i < F; i++)
  {
    const int64_t count = b->y_columns - F * at - i * LANES;
    real *place = to + F * at + i * LANES;
    if (count <= 0) continue;
    if (g->add) v[i] += load(place, count);
    put(place, v[i], F == 1 && b->spill && place + LANES <= b->spill_end ? LANES : count);
  }
}

/* Computes R rows at a time from o on, while there are as many; returns the first row that is left. */
INLINE int64_t some_rows(const block *b, const int M, const int F, const int R, int64_t o)
{
  const int64_t y_out = b->g->plane->y_out;
  const bool again = !b->g->add && F == 1 && b->g->columns[0].out_step == 1; /* the last vector may be whole */
  for (; o + R <= b->o1; o += R) {
    real *y = b->y + (o - b->o0) * b->y_row;
    for (int64_t at = 0; at < b->columns; at += LANES) {
      vector sum[MOST_SUMS];
      if (again && at > 0 && at + LANES > b->columns) at = b->columns - LANES;
      sum_any(b, M, R, F, o, at, sum);
      UNROLL for (int m = 0; m < M; m++) UNROLL for (int r = 0; r < R; r++)
          store_row(b, F, y + m * y_out + r * b->y_row, at, sum + (m * R + r) * F);
    }
  }
  return o;
}

INLINE void rows_of(const block *b, const int M, const int F, const int R)
{
  int64_t o = some_rows(b, M, F, R, b->o0);
  if (R > 2) o = some_rows(b, M, F, 2, o);
  some_rows(b, M, F, 1, o);
}

typedef void (*rows_function)(const block *b);

static void rows_1(const block *b)
{
  rows_of(b, 1, 1, 7);
}
static void rows_2(const block *b)
{
  rows_of(b, 2, 1, 4);
}
static void rows_3(const block *b)
{
  rows_of(b, 3, 1, 4);
}
static void rows_4(const block *b)
{
  rows_of(b, 4, 1, CB_REGISTERS == 32 ? 4 : 3);
}
static void rows_1_interleaved(const block *b)
{
  rows_of(b, 1, 2, 4);
}
static void rows_2_interleaved(const block *b)
{
  rows_of(b, 2, 2, 2);
}

/* The function that computes M outputs of a pass. */
static rows_function function_of(const pass *g, int64_t M)
{
  static const rows_function any[MOST_OUTPUTS + 1] = {NULL, rows_1, rows_2, rows_3, rows_4};
  return g->phases == 2 ? (M == 1 ? rows_1_interleaved : rows_2_interleaved) : any[M];
}

/* Lists the weights of a pass in the order in which it takes them, by their distance from the group's first weight.
   Returns how many they are, or WIDE_WEIGHTS + 1 if there are more than WIDE_WEIGHTS. */
static int64_t list_weights(const pass *g, int64_t place[WIDE_WEIGHTS])
{
  const cb_plane *p = g->plane;
  int64_t count = 0;
  for (int64_t i = 0; i < g->sources; i++)
    for (int64_t t = 0; t < g->rows.count; t++)
      for (int f = 0; f < g->phases; f++)
        for (int64_t c = 0; c < g->columns[f].count; c++)
          for (int64_t m = 0; m < p->outs; m++) {
            if (count == WIDE_WEIGHTS) return WIDE_WEIGHTS + 1;
            place[count++] = g->weight[i] + g->rows.tap[t] * p->w.taps + g->columns[f].tap[c] + m * p->weight_out;
          }
  return count;
}

/* Spreads weights of `planes` planes from w on over vectors, each plane's on its own lanes: behind[n] are those from
   plane n's on. */
static void spread(const real *w, int64_t pitch, int64_t planes, const mask *behind, const int64_t *place,
                   int64_t count, vector *wide)
{
  if (planes == 2) { /* the commonest number of planes */
    const mask second = behind[1];
    for (int64_t i = 0; i < count; i++) {
      const real *from = w + place[i];
      wide[i] = choose(second, from[pitch] - (vector){0}, *from - (vector){0});
    }
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    const real *from = w + place[i];
    vector v = *from - (vector){0};
    for (int64_t n = 1; n < planes; n++) v = choose(behind[n], from[n * pitch] - (vector){0}, v);
    wide[i] = v;
  }
}

/* Packs the band of a block and computes all outputs of its groups, from group n on. */
INLINE void run_block(block *b, real *band, int64_t n)
{
  const pass *g = b->g;
  const cb_plane *p = g->plane;
  const int64_t most = g->phases == 2 ? 2 : MOST_OUTPUTS, column = g->phases * b->column0;
  const int64_t first = g->columns[0].out0 + (g->phases == 2 ? column : column * g->columns[0].out_step);
  real *y = (real *)p->y + n * p->y_pitch;
  pack_band(g, band, (const real *)p->x + n * p->x_pitch, b->planes, b->column0, b->columns, b->o0, b->o1);
  b->y_row = g->rows.out_step * p->w.out;
  b->y_columns =
      g->phases == 2 ? (p->w.out - column < 2 * b->columns ? p->w.out - column : 2 * b->columns) : b->columns;
  b->spill = CB_VECTOR_BYTES < 64 && !g->add && g->phases == 1 && g->columns[0].out_step == 1 &&
             g->rows.out_step == 1 && p->w.out < LANES;
  for (int64_t m = 0, count; m < p->outs; m += count) {
    count = p->outs - m < most ? p->outs - m : most;
    b->y = y + m * p->y_out + (g->rows.out0 + b->o0 * g->rows.out_step) * p->w.out + first;
    b->spill_end = y + m * p->y_out + p->h.out * p->w.out;
    b->weights = (const real *)p->weights + n * p->weight_pitch + m * p->weight_out;
    function_of(g, count)(b);
  }
}

static void run_pass(pass *g)
{
  const cb_plane *p = g->plane;
  _Alignas(64) real band[BAND_ELEMENTS + LANES];
  _Alignas(64) vector wide[WIDE_WEIGHTS];
  const real *row[BAND_ROWS];
  int64_t place[WIDE_WEIGHTS];
  mask behind[SIDE_PLANES];
  const int64_t columns = g->columns[0].outs, rows = g->rows.outs, weights = list_weights(g, place);
  if (weights > WIDE_WEIGHTS || p->outs > (g->phases == 2 ? 2 : MOST_OUTPUTS)) g->together = 1;
  for (int64_t n = 0; n < g->together; n++) behind[n] = lanes_between(n * g->side, LANES);
  const int64_t filled = (band_rows(g, g->block) * g->sources + 1) * g->row_pitch + LANES;
  const real *zeros = band + band_rows(g, g->block) * g->sources * g->row_pitch;
  memset(band, 0, (size_t)filled * sizeof(real));
  block b = {.g = g, .row = row, .zeros = zeros, .wide = g->together > 1 ? wide : NULL};
  for (int64_t n = 0; n < g->together; n++) {
    const int64_t lo = g->phases * n * g->side, hi = lo + p->w.out;
    b.side_lanes[n][0] = lanes_between(lo, hi);
    b.side_lanes[n][1] = lanes_between(lo - LANES, hi - LANES);
  }
  const bool strips = columns > g->strip, blocks = rows > g->block;
  for (int64_t n = 0; n < p->planes; n += g->together) {
    b.planes = p->planes - n < g->together ? p->planes - n : g->together;
    if (b.wide)
      spread((const real *)p->weights + n * p->weight_pitch, p->weight_pitch, b.planes, behind, place, weights, wide);
    for (b.o0 = 0; b.o0 < rows; b.o0 = b.o1) {
      b.o1 = rows - b.o0 < g->block ? rows : b.o0 + g->block;
      if (n == 0 || blocks) point_rows(g, row, band, zeros, b.o0, b.o1);
      for (b.column0 = 0; b.column0 < columns; b.column0 += g->strip) {
        b.columns = columns - b.column0 < g->strip ? columns - b.column0 : g->strip;
        if (strips) memset(band, 0, (size_t)filled * sizeof(real));
        run_block(&b, band, n);
      }
    }
  }
}

/* A part of the sources, the tap rows and the tap columns, each from `from` to `to`. */
typedef struct {
  int64_t from[3], to[3];
} part;

/* Runs passes over all phases of outputs, or if `dry` only finds out whether their bands fit; false if one does not.
   `add`: sums are added to what y holds. */
static bool run_phases(const cb_plane *p, const part *q, bool add, bool dry)
{
  const int64_t row_phases = p->up ? p->h.stride : 1, column_phases = p->up ? p->w.stride : 1;
  const int interleaved = column_phases == 2 ? 2 : 1;
  for (int64_t fh = 0; fh < row_phases && fh < p->h.out; fh++)
    for (int64_t fw = 0; fw < column_phases && fw < p->w.out; fw += interleaved) {
      pass g = {.plane = p, .phases = interleaved, .add = add};
      pass_sources_open(&g, q->from[0], q->to[0]);
      pass_axis_open(&g.rows, &p->h, p->up, q->from[1], q->to[1], fh);
      for (int f = 0; f < interleaved; f++) pass_axis_open(&g.columns[f], &p->w, p->up, q->from[2], q->to[2], fw + f);
      if (!pass_cut(&g, 2 * MAIN_ROWS)) return false;
      if (!dry) run_pass(&g);
    }
  return true;
}

/* Runs a part. What does not fit the band, or makes long chains, goes in halves: first of the sources, then of taps. */
static void run_part(const cb_plane *p, const part *q, bool add)
{
  int64_t extent[3];
  for (int i = 0; i < 3; i++) extent[i] = q->to[i] - q->from[i];
  const bool in_one = extent[0] * extent[1] * extent[2] <= CHAIN && extent[0] <= PASS_SOURCES;
  if (in_one && extent[1] <= PASS_TAPS && extent[2] <= PASS_TAPS && run_phases(p, q, add, true)) {
    run_phases(p, q, add, false);
    return;
  }
  const int axis = extent[0] > 1 ? 0 : extent[2] > extent[1] ? 2 : 1;
  part half = *q;
  half.to[axis] = q->from[axis] + extent[axis] / 2;
  run_part(p, &half, add);
  half.from[axis] = half.to[axis];
  half.to[axis] = q->to[axis];
  run_part(p, &half, true);
}

void CB_NAME(cb_correlate)(const cb_plane *p)
{
  if (p->w.out > WIDE && CB_NAME(cb_correlate_strips)(p)) return;
  if (CB_NAME(cb_correlate_down)(p) || CB_NAME(cb_correlate_square)(p) || CB_NAME(cb_correlate_strips)(p)) return;
  run_part(p, &(part){.to = {p->channels * p->depths, p->h.taps, p->w.taps}}, p->add);
}
