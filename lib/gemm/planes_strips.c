/*
 * Direct convolution at stride 1 of planes whose rows fill a vector or more, any number of taps, in plain NCHW
 * (planes.c has the sum): pictures, and layers of few outputs. x is read where it lies; what a tap meets beside a row
 * is loaded under a mask, and rows beside the image are left out:
 *
 *     for each group, each block of output rows, each strip of columns, each output
 *       for each source, each row of x that the block meets
 *         for each tap column: load the strip, multiply-add it to every output row by the weight of its tap row
 *       store
 *
 * So a row of x is loaded once for all output rows of a block. Dilated rows are dealt out to as many phases, in each of
 * which they follow each other. An output is one chain of multiply-adds for each part of its terms: sources, then tap
 * rows, then taps.
 */
#include "gemm/opaque.h"
#include "gemm/plane_band.h"

enum {
  STRIP = 3,           /* the most vectors of a strip */
  MOST_TAPS = 64,      /* the most taps of a row */
  MOST_SQUARE = 5,     /* the most taps of a row of a filter that the compiler knows */
  CHAIN = 192,         /* the most multiply-adds of a chain: no sum grows long */
  MOST_ROWS = 4,       /* the most rows of a tile */
  BLOCK_ROWS = 24,     /* rows of a narrow plane over which a strip goes at once: a multiple of every tile's */
  NARROW = 16 * LANES, /* the most columns of a narrow plane */
  /* Rows of a tile of 1, 2 and 3 vectors. Few rows of x meet fewer output rows than filter and tile have. */
  ROWS_1 = 4,
  ROWS_2 = 4,
  ROWS_3 = CB_REGISTERS == 32 ? 4 : 3
};

/* A phase: output rows o, o + dilation, ... of a call. Row r of the phase meets positions r + t, t < tap rows. */
typedef struct {
  const cb_plane *plane;
  int64_t rows, out0, out_step; /* rows of the phase, of which row r is row out0 + r * out_step of y */
  int64_t first, end;           /* positions [first, end) are rows of x */
  int64_t corner;               /* elements from x to where position 0 meets the first tap column and output column 0 */
  int64_t line, step;           /* elements of x from a position to the next, from a tap column to the next */
  int64_t low;                  /* column of x that output column 0 meets with the first tap column */
  int64_t weight0, down, right; /* the first tap's weight; elements from a tap row to the next, from a tap column */
  int64_t whole, part;          /* `whole` sources are one chain; if 0, `part` tap rows of a source are one */
} phase;

/* The terms of one chain: sources [i0, i1), tap rows [t0, t1). */
typedef struct {
  int64_t i0, i1, t0, t1;
} part;

/* What an instance knows at compile time. */
typedef struct {
  int vectors, rows; /* vectors and rows of a tile */
  int taps;          /* taps of a row; 0: any number */
  bool square;       /* there are as many tap rows as taps of a row */
  bool masked;       /* loads reach beside the row */
} form;

/* A strip of columns. */
typedef struct {
  int64_t column;                        /* the first column */
  bool masked, whole;                    /* loads reach beside the row; every lane of a store is to be written */
  mask in[MOST_TAPS][STRIP], out[STRIP]; /* the lanes of the loads of each tap column, and of the stores */
} strip;

static phase phase_of(const cb_plane *p, int64_t which)
{
  const cb_plane_axis *h = &p->h, *w = &p->w;
  const int64_t dilation = h->step < 0 ? -h->step : h->step;
  const int64_t top = h->base + (h->step < 0 ? (h->taps - 1) * h->step : 0) + which;
  const int64_t left = w->base + (w->step < 0 ? (w->taps - 1) * w->step : 0);
  return (phase){.plane = p,
                 .rows = (h->out - which + dilation - 1) / dilation,
                 .out0 = which,
                 .out_step = dilation,
                 .first = top < 0 ? (-top + dilation - 1) / dilation : 0,
                 .end = top < h->in ? (h->in - 1 - top) / dilation + 1 : 0,
                 .corner = top * w->in + left,
                 .line = dilation * w->in,
                 .step = w->step < 0 ? -w->step : w->step,
                 .low = left,
                 .weight0 = (h->step < 0 ? (h->taps - 1) * w->taps : 0) + (w->step < 0 ? w->taps - 1 : 0),
                 .down = h->step < 0 ? -w->taps : w->taps,
                 .right = w->step < 0 ? -1 : 1,
                 .whole = CHAIN / (h->taps * w->taps),
                 .part = CHAIN / w->taps};
}

static void strip_open(strip *s, const phase *f, int64_t column, int64_t vectors)
{
  const cb_plane_axis *w = &f->plane->w;
  const int64_t left = column + f->low, width = vectors * LANES;
  s->column = column;
  s->masked = left < 0 || left + (w->taps - 1) * f->step + width > w->in;
  s->whole = column + width <= w->out;
  for (int64_t v = 0; v < vectors; v++) s->out[v] = lanes_between(0, w->out - column - v * LANES);
  for (int64_t c = 0; s->masked && c < w->taps; c++)
    for (int64_t v = 0; v < vectors; v++) {
      const int64_t at = left + c * f->step + v * LANES;
      s->in[c][v] = lanes_between(-at, w->in - at);
    }
}

/* Adds one row of x, which x points to at the strip's first tap column, to the sums of output rows [lo, hi) of the
   tile; w is the weight for row 0. */
INLINE void add_row(const phase *f, const strip *s, const form k, const int lo, const int hi, const real *x,
                    const real *w, vector *sum)
{
  const int64_t taps = k.taps ? k.taps : f->plane->w.taps, step = f->step;
  const int64_t right = k.square ? 1 : f->right, down = k.square ? k.taps : f->down;
  const mask *in = s->in[0];
  const int V = k.vectors;
  for (int64_t c = 0; c < taps; c++, x += step, w += right, in += STRIP) {
    vector v[STRIP];
    UNROLL for (int i = 0; i < V; i++)
    {
      v[i] = k.masked ? load_kept(in[i], x + i * LANES) : *(const vector *)(x + i * LANES);
      OPAQUE_VECTOR(v[i]);
    }
    UNROLL for (int r = lo; r < hi; r++)
    {
      vector each = w[-r * down] - (vector){0};
      OPAQUE_VECTOR(each);
      UNROLL for (int i = 0; i < V; i++) sum[r * V + i] += each * v[i];
    }
  }
}

/* Adds one tap row, for which each output row has its own row of x. */
INLINE void add_rows_apart(const phase *f, const strip *s, const form k, const real *x, const real *w, vector *sum)
{
  const int64_t taps = f->plane->w.taps, step = f->step, right = f->right, line = f->line;
  const mask *in = s->in[0];
  const int V = k.vectors;
  for (int64_t c = 0; c < taps; c++, x += step, w += right, in += STRIP) {
    const vector each = *w - (vector){0};
    UNROLL for (int r = 0; r < k.rows; r++) UNROLL for (int i = 0; i < V; i++)
    {
      const real *at = x + r * line + i * LANES;
      sum[r * V + i] += each * (k.masked ? load_kept(in[i], at) : *(const vector *)at);
    }
  }
}

/* Adds all rows of a square filter, where every row that it meets is one of x. */
INLINE void add_square(const phase *f, const strip *s, const form k, const real *x, const real *w, vector *sum)
{
  real turned[MOST_SQUARE * MOST_SQUARE];
  if (f->right < 0) {
    UNROLL for (int t = 0; t < k.taps; t++) UNROLL for (int c = 0; c < k.taps; c++) turned[t * k.taps + c] =
        w[t * f->down + c * f->right];
    w = turned;
  }
  UNROLL for (int q = 0; q < k.rows + k.taps - 1; q++, x += f->line)
  {
    const int lo = q < k.taps ? 0 : q - k.taps + 1, hi = q < k.rows ? q + 1 : k.rows;
    add_row(f, s, k, lo, hi, x, w + q * k.taps, sum);
  }
}

/* Adds one source's terms: x is where position 0 and the strip begin, w the weight of its first tap. */
INLINE void add_source(const phase *f, const strip *s, const form k, const part *a, int64_t row, const real *x,
                       const real *w, vector *sum)
{
  const int R = k.rows;
  int64_t q = row + a->t0 > f->first ? row + a->t0 : f->first;
  const int64_t last = row + R - 1 + a->t1, end = last < f->end ? last : f->end;
  const bool all = q == row + a->t0 && end == last;
  if (k.square && all && (f->right > 0) == (f->down > 0)) {
    add_square(f, s, k, x + q * f->line, w, sum);
    return;
  }
  if (a->t1 - a->t0 == 1 && all && !k.taps) {
    add_rows_apart(f, s, k, x + q * f->line, w + a->t0 * f->down, sum);
    return;
  }
  const form any = {k.vectors, R, k.square ? 0 : k.taps, false, k.masked};
  for (; q < end; q++) {
    const int64_t hi = q - row - a->t0 + 1 < R ? q - row - a->t0 + 1 : R;
    const int64_t lo = q - row - a->t1 + 1 > 0 ? q - row - a->t1 + 1 : 0;
    const real *from = x + q * f->line, *weight = w + (q - row) * f->down;
    if (lo == 0) {
      UNROLL for (int r = 1; r <= R; r++) if (hi == r) add_row(f, s, any, 0, r, from, weight, sum);
    } else if (hi == R) {
      UNROLL for (int r = 1; r < R; r++) if (lo == r) add_row(f, s, any, r, R, from, weight, sum);
    } else /* the part has fewer tap rows than the tile has rows */
      UNROLL for (int r = 1; r < R; r++) if (lo <= r && r < hi) add_row(f, s, any, r, r + 1, from, weight, sum);
  }
}

/* Computes one chain: sources [i0, i1), tap rows [t0, t1). */
INLINE void sum_part(const phase *f, const strip *s, const form k, const part *a, int64_t row, const real *x,
                     const real *w, vector *sum)
{
  const cb_plane *p = f->plane;
  int64_t depth = 0, channel = a->i0;
  for (; channel >= p->channels; channel -= p->channels) depth++;
  UNROLL for (int i = 0; i < k.rows * k.vectors; i++) sum[i] = (vector){0};
  for (int64_t i = a->i0; i < a->i1; i++) {
    add_source(f, s, k, a, row, x + depth * p->x_depth + channel * p->x_channel,
               w + depth * p->weight_depth + channel * p->weight_channel, sum);
    if (++channel == p->channels) channel = 0, depth++;
  }
}

/* The part of the terms that follows another: whole sources, or tap rows of one. */
INLINE part next_part(const phase *f, const part *before)
{
  const int64_t sources = f->plane->channels * f->plane->depths, rows = f->plane->h.taps;
  part a = {before->i1, before->i1 + (f->whole ? f->whole : 1), 0, rows};
  if (a.i1 > sources) a.i1 = sources;
  if (f->whole) return a;
  if (before->t1 < rows) a.i0 = before->i0, a.i1 = before->i1, a.t0 = before->t1;
  if (a.t1 - a.t0 > f->part) a.t1 = a.t0 + f->part;
  return a;
}

/* Computes all sums of a tile. */
INLINE void sum_tile(const phase *f, const strip *s, const form k, int64_t row, const real *x, const real *w,
                     vector *sum)
{
  const int64_t sources = f->plane->channels * f->plane->depths;
  const int count = k.rows * k.vectors;
  if (sources <= f->whole) {
    sum_part(f, s, k, &(part){0, sources, 0, f->plane->h.taps}, row, x, w, sum);
    return;
  }
  vector total[MOST_ROWS * STRIP];
  UNROLL for (int i = 0; i < count; i++) total[i] = (vector){0};
  for (part a = next_part(f, &(part){.t1 = f->plane->h.taps}); a.i0 < sources; a = next_part(f, &a)) {
    sum_part(f, s, k, &a, row, x, w, sum);
    UNROLL for (int i = 0; i < count; i++) total[i] += sum[i];
  }
  UNROLL for (int i = 0; i < count; i++) sum[i] = total[i];
}

/* Computes the tiles of `strips` strips side by side of an output, from row `row` of the phase on. */
INLINE void run_tiles(const phase *f, const strip *s, const form k, int64_t row, int64_t strips, const real *x,
                      const real *w, real *y)
{
  const cb_plane *p = f->plane;
  const int V = k.vectors, R = k.rows;
  const int64_t line = f->out_step * p->w.out;
  const bool add = p->add, whole = s->whole;
  x += f->corner + s->column;
  w += f->weight0;
  y += f->out0 * p->w.out + row * line + s->column;
  for (; strips > 0; strips--, x += V * LANES, y += V * LANES) {
    vector sum[MOST_ROWS * STRIP];
    sum_tile(f, s, k, row, x, w, sum);
    UNROLL for (int r = 0; r < R; r++) UNROLL for (int i = 0; i < V; i++)
    {
      real *to = y + r * line + i * LANES;
      if (add) sum[r * V + i] += load_kept(s->out[i], to);
      if (whole)
        *(vector *)to = sum[r * V + i];
      else
        put_if(s->out[i], to, sum[r * V + i]);
    }
  }
}

typedef void (*tile_function)(const phase *f, const strip *s, int64_t row, int64_t strips, const real *x, const real *w,
                              real *y);

#define TILE(NAME, V, R, TAPS, SQUARE, MASKED)                                                                         \
  static void NAME(const phase *f, const strip *s, int64_t row, int64_t strips, const real *x, const real *w, real *y) \
  {                                                                                                                    \
    run_tiles(f, s, (form){V, R, TAPS, SQUARE, MASKED}, row, strips, x, w, y);                                         \
  }
#define TILES_OF(NAME, V, R, TAPS, SQUARE)                                                                             \
  TILE(NAME, V, R, TAPS, SQUARE, false)                                                                                \
  TILE(NAME##_masked, V, R, TAPS, SQUARE, true)
#define TILES(NAME, V, R)                                                                                              \
  TILES_OF(NAME##_any, V, R, 0, false)                                                                                 \
  TILES_OF(NAME##_column, V, R, 1, false)                                                                              \
  TILES_OF(NAME##_3, V, R, 3, true)                                                                                    \
  TILES_OF(NAME##_5, V, R, 5, true)                                                                                    \
  TILES_OF(NAME##_row, V, 1, 0, false)
TILES(tile_1, 1, ROWS_1)
TILES(tile_2, 2, ROWS_2)
TILES(tile_3, 3, ROWS_3)

enum { ANY, COLUMN, SQUARE_3, SQUARE_5, KINDS };

/* Tiles by their number of vectors: how many rows they have, the functions for these by kinds of filters, and those for
   one row. Of a pair of functions the second masks its loads. */
#define PAIR(NAME)                                                                                                     \
  {                                                                                                                    \
    NAME, NAME##_masked                                                                                                \
  }
#define OF_VECTORS(NAME)                                                                                               \
  {                                                                                                                    \
    PAIR(NAME##_any), PAIR(NAME##_column), PAIR(NAME##_3), PAIR(NAME##_5)                                              \
  }
static const struct {
  int64_t rows;
  tile_function some[KINDS][2], one[2];
} tiles[STRIP + 1] = {{0},
                      {ROWS_1, OF_VECTORS(tile_1), PAIR(tile_1_row)},
                      {ROWS_2, OF_VECTORS(tile_2), PAIR(tile_2_row)},
                      {ROWS_3, OF_VECTORS(tile_3), PAIR(tile_3_row)}};

static int kind_of(const cb_plane *p)
{
  if (p->w.taps == 1) return COLUMN;
  if (p->w.taps != p->h.taps) return ANY;
  if (p->w.taps == 3) return SQUARE_3;
  return p->w.taps == 5 && CB_REGISTERS == 32 ? SQUARE_5 : ANY; /* unrolled, it does not fit 16 registers */
}

/* A stretch: `count` strips side by side, of `vectors` vectors each, that have the masks of the first. */
typedef struct {
  strip first;
  int64_t vectors, count;
} stretch;

/* Cuts a row into a first strip, a last one that begins earlier if outputs may be computed twice, and those between, of
   which none reaches beside the row. Returns how many stretches, or 0 if that cannot be. */
static int stretches_open(stretch all[3], const phase *f, int64_t last)
{
  const cb_plane *p = f->plane;
  const int64_t vectors = (p->w.out + LANES - 1) / LANES, few = vectors < STRIP ? vectors : STRIP;
  strip_open(&all[0].first, f, 0, few);
  all[0].vectors = few;
  all[0].count = 1;
  if (few == vectors) return 1;
  const int64_t between = (vectors - last - 1) / STRIP;
  const int64_t column = p->add ? (1 + between) * STRIP * LANES : p->w.out - last * LANES;
  strip_open(&all[1].first, f, column, last);
  all[1].vectors = last;
  all[1].count = 1;
  if (between == 0) return 2;
  stretch *s = &all[2];
  strip_open(&s->first, f, (between)*STRIP * LANES, STRIP); /* the last strip of those between */
  if (s->first.masked) return 0;
  strip_open(&s->first, f, STRIP * LANES, STRIP);
  s->vectors = STRIP;
  s->count = between;
  return s->first.masked ? 0 : 3;
}

/* Computes rows [row, end) of a stretch of all outputs of group n. */
static void run_stretch(const phase *f, const stretch *s, int64_t n, int64_t row, int64_t end)
{
  const cb_plane *p = f->plane;
  const int64_t rows = tiles[s->vectors].rows;
  const bool masked = s->first.masked;
  const tile_function some = tiles[s->vectors].some[kind_of(p)][masked], one = tiles[s->vectors].one[masked];
  const real *x = (const real *)p->x + n * p->x_pitch, *w = (const real *)p->weights + n * p->weight_pitch;
  for (int64_t m = 0; m < p->outs; m++, w += p->weight_out) {
    real *y = (real *)p->y + n * p->y_pitch + m * p->y_out;
    int64_t o = row;
    for (; o + rows <= end; o += rows) some(f, &s->first, o, s->count, x, w, y);
    if (o < end && end >= rows && !p->add) { /* the last rows, of which some are computed again */
      some(f, &s->first, end - rows, s->count, x, w, y);
      continue;
    }
    for (; o < end; o++) one(f, &s->first, o, s->count, x, w, y);
  }
}

static bool served(const cb_plane *p)
{
  return p->h.stride == 1 && p->w.stride == 1 && p->w.out >= LANES && p->w.taps <= MOST_TAPS;
}

bool CB_NAME(cb_correlate_strips)(const cb_plane *p)
{
  if (!served(p)) return false;
  const int64_t dilation = p->h.step < 0 ? -p->h.step : p->h.step, vectors = (p->w.out + LANES - 1) / LANES;
  const int64_t rest = p->w.out > NARROW || vectors % STRIP == 0 ? STRIP : vectors % STRIP;
  const int64_t block = p->w.out > NARROW ? ROWS_3 : BLOCK_ROWS;
  stretch all[3];
  for (int64_t which = 0; which < dilation && which < p->h.out; which++) {
    const phase f = phase_of(p, which);
    int count = stretches_open(all, &f, rest);
    if (count == 0) count = stretches_open(all, &f, STRIP);
    if (count == 0) return false;
    for (int64_t n = 0; n < p->planes; n++)
      for (int64_t row = 0; row < f.rows; row += block)
        for (int i = 0; i < count; i++) run_stretch(&f, &all[i], n, row, row + block < f.rows ? row + block : f.rows);
  }
  return true;
}
