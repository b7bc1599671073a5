/*
 * What loops over planes go by (planes.c): a pass, which is a part of the taps and of the output's phases with its
 * columns and rows, and the band, a small copy of the rows of x that some outputs read:
 *
 *     band [source][row][residue][column]          zeros where a row reaches beyond the image
 *
 * With a stride of s along the row, positions 0, s, 2s, ... of a band row stand together, then 1, 1 + s, ...:
 * neighbouring outputs find their elements of x side by side whatever the stride. Narrow planes share a vector: so many
 * stand side by side in one band that their outputs fill the lanes, and each lane has its own plane's weights.
 */
#ifndef CB_GEMM_PLANE_BAND_H
#define CB_GEMM_PLANE_BAND_H

#include "gemm/engine_build.h"
#include "gemm/vectors.h"

enum {
  BAND_ELEMENTS = (24 << 10) / sizeof(real), /* elements of a band: half of a first-level cache */
  BAND_ROWS = 64,                            /* the most rows of a band */
  BAND_VECTORS = 8,                          /* the most vectors of a strip of columns */
  PASS_TAPS = 32,                            /* the most tap rows, and the most tap columns, of a pass */
  PASS_SOURCES = 64,                         /* the most sources of a pass */
  WIDE_WEIGHTS = 128,                        /* the most weights of a pass that are spread over vectors */
  SIDE_PLANES = LANES                        /* the most planes side by side */
};

/* An axis of a pass: the outputs of one phase, and the taps that reach them. Output o and tap j meet at source position
   o * stride + at[j], which rises with j. */
typedef struct {
  int64_t in, outs, stride;
  int64_t out0, out_step; /* output o lies at out0 + o * out_step in y */
  int64_t count;          /* how many taps reach the outputs; 0: these are zeros */
  int64_t at[PASS_TAPS];
  int64_t tap[PASS_TAPS]; /* the taps' numbers in the filter */
} pass_axis;

/* Opens the axis for taps [t0, t1), counted in rising order of what they read, and outputs of residue `phase`. */
INLINE void pass_axis_open(pass_axis *p, const cb_plane_axis *a, bool up, int64_t t0, int64_t t1, int64_t phase)
{
  *p = (pass_axis){.in = a->in, .outs = a->out, .stride = a->stride, .out_step = 1};
  if (up) {
    p->stride = 1;
    p->out0 = phase;
    p->out_step = a->stride;
    p->outs = (a->out - phase + a->stride - 1) / a->stride;
  }
  for (int64_t t = t0; t < t1; t++) {
    const int64_t tap = a->step < 0 ? a->taps - 1 - t : t, place = a->base + tap * a->step + phase;
    if (up && place % a->stride) continue;
    p->at[p->count] = up ? place / a->stride : place;
    p->tap[p->count++] = tap;
  }
}

/* A pass: its taps and outputs, how these are cut into strips and blocks, and the layout of its band. */
typedef struct {
  const cb_plane *plane;
  pass_axis rows, columns[2]; /* columns: of two phases if a transposed stride of 2 interleaves them, else of one */
  int phases;
  int64_t sources;
  int64_t source[PASS_SOURCES], weight[PASS_SOURCES]; /* where source i and its weights begin in the group's */
  bool add;
  int64_t strip, block; /* the most columns of a strip and rows of a block */
  int64_t low, reach;   /* the first column that taps of output column 0 meet, and columns from there to the last one */
  int64_t row_low, row_reach; /* the first row that taps of output row 0 meet, and rows to the last */
  int64_t residue_pitch, row_pitch, source_pitch; /* elements of the band from one residue, row, source to the next */
  int64_t offset[2][PASS_TAPS];                   /* where a band row has the elements of each phase's tap columns */
  int64_t side, together; /* planes side by side are `side` lanes apart, and at most `together` */
} pass;

/* Gives the pass sources [from, to): all channels at the first depth are counted first, then those at the next. */
INLINE void pass_sources_open(pass *g, int64_t from, int64_t to)
{
  const cb_plane *p = g->plane;
  g->sources = to - from;
  for (int64_t i = from; i < to; i++) {
    g->source[i - from] = i / p->channels * p->x_depth + i % p->channels * p->x_channel;
    g->weight[i - from] = i / p->channels * p->weight_depth + i % p->channels * p->weight_channel;
  }
}

/* Lays out bands for strips of `strip` columns; returns the elements of a band row. */
INLINE int64_t lay_out(pass *g, int64_t strip)
{
  const int64_t stride = g->columns[0].stride;
  g->strip = strip;
  g->residue_pitch = (strip + g->reach / stride + 1 + 2 * LANES - 1) / LANES * LANES; /* with a vector of room */
  const int64_t residues = g->reach + 1 < stride ? g->reach + 1 : stride;
  g->row_pitch = residues * g->residue_pitch;
  for (int f = 0; f < g->phases; f++)
    for (int64_t t = 0; t < g->columns[f].count; t++) {
      const int64_t place = g->columns[f].at[t] - g->low;
      g->offset[f][t] = place % stride * g->residue_pitch + place / stride;
    }
  return g->row_pitch;
}

/* Sets how many planes stand side by side in strips of all columns, and how far apart: no taps read another's row. */
INLINE void set_side(pass *g)
{
  const int64_t stride = g->columns[0].stride, outs = g->columns[0].outs;
  const int64_t first = g->low < 0 ? -g->low / stride : 0;     /* the place in a residue where the row begins */
  const int64_t reads = outs + g->reach / stride;              /* the place behind the last that is read */
  int64_t ends = (g->columns[0].in - 1 - g->low) / stride + 1; /* the place behind the row */
  ends = ends < reads ? ends : reads;
  int64_t side = ends > reads - first ? ends : reads - first;
  g->side = side > outs ? side : outs;
  g->together = 1 + (LANES - outs) / g->side;
}

/* Sets the range of positions that the pass's taps meet. */
INLINE void set_reach(pass *g)
{
  int64_t low = INT64_MAX, high = INT64_MIN;
  for (int f = 0; f < g->phases; f++)
    for (int64_t t = 0; t < g->columns[f].count; t++) {
      const int64_t at = g->columns[f].at[t];
      low = at < low ? at : low;
      high = at > high ? at : high;
    }
  g->low = low <= high ? low : 0;
  g->reach = low <= high ? high - low : 0;
  g->row_low = g->rows.count ? g->rows.at[0] : 0;
  g->row_reach = g->rows.count ? g->rows.at[g->rows.count - 1] - g->row_low : 0;
}

INLINE int64_t band_rows(const pass *g, int64_t block)
{
  return (block - 1) * g->rows.stride + g->row_reach + 1;
}

/* True if bands of so many columns and output rows fit, with a row of zeros behind. */
INLINE bool band_fits(pass *g, int64_t strip, int64_t block)
{
  const int64_t rows = band_rows(g, block), pitch = lay_out(g, strip);
  return rows <= BAND_ROWS && (rows * g->sources + 2) * pitch <= BAND_ELEMENTS;
}

/* Cuts the pass into strips and blocks; false if not even the smallest fits. */
INLINE bool pass_cut(pass *g, int64_t good_rows)
{
  set_reach(g);
  const int64_t vectors = (g->columns[0].outs + LANES - 1) / LANES;
  int64_t strip = (vectors < BAND_VECTORS ? vectors : BAND_VECTORS) * LANES;
  const int64_t good = g->rows.outs < good_rows ? g->rows.outs : good_rows;
  while (strip > LANES && !band_fits(g, strip, good)) strip = strip / LANES / 2 * LANES;
  int64_t block = 1;
  if (!band_fits(g, strip, block)) return false;
  while (block < g->rows.outs && band_fits(g, strip, block + 1)) block++;
  if (block > good_rows && block < g->rows.outs) block -= block % good_rows;
  lay_out(g, strip);
  g->block = block;
  g->source_pitch = band_rows(g, block) * g->row_pitch;
  g->side = 0;
  g->together = 1;
  if (vectors == 1 && (g->phases == 2 || g->columns[0].out_step == 1)) set_side(g);
  return true;
}

/* Where `count` columns of a row of x go: from the band row's column `lead` on. The last vectors are parts. */
typedef struct {
  int64_t count, lead;
  mask last[2]; /* the lanes of the last vector, or with a stride of 2 of the last two */
} row_copy;

INLINE row_copy row_copy_of(int64_t count, int64_t lead, int64_t stride)
{
  row_copy c = {.count = count, .lead = lead};
  const int64_t rest = count % (stride == 2 ? 2 * LANES : LANES);
  c.last[0] = lanes_between(0, rest);
  c.last[1] = lanes_between(0, rest - LANES);
  return c;
}

/* Copies a row of x, from the first column that is copied on, to a band row. */
INLINE void pack_row(const pass *g, const row_copy *c, real *to, const real *x, const int64_t stride)
{
  int64_t i = 0;
  if (stride == 1) {
    to += c->lead;
    for (; i + LANES <= c->count; i += LANES) *(vector *)(to + i) = *(const vector *)(x + i);
    if (i < c->count) *(vector *)(to + i) = load_kept(c->last[0], x + i);
  } else if (stride == 2) {
    const int64_t odd = c->lead % 2;
    const bool single = g->row_pitch == g->residue_pitch; /* residue 1 is not read at all */
    real *even_to = to + odd * g->residue_pitch + c->lead / 2;
    real *odd_to = to + (1 - odd) * g->residue_pitch + (c->lead + 1) / 2;
    for (; i < c->count; i += 2 * LANES) {
      const bool whole = i + 2 * LANES <= c->count;
      vector a, b;
      if (whole) {
        a = *(const vector *)(x + i);
        b = *(const vector *)(x + i + LANES);
      } else {
        a = load_kept(c->last[0], x + i);
        b = load_kept(c->last[1], x + i + LANES);
      }
      if (!single || !odd) *(vector *)(even_to + i / 2) = take_even(a, b);
      if (!single || odd) *(vector *)(odd_to + i / 2) = take_odd(a, b);
    }
  } else {
    for (; i < c->count; i++) {
      const int64_t residue = (c->lead + i) % stride;
      if (residue * g->residue_pitch < g->row_pitch) to[residue * g->residue_pitch + (c->lead + i) / stride] = x[i];
    }
  }
}

/* Copies to the band the rows that outputs [o0, o1) of the strip from output column c0 on read, of `planes` planes from
   x on. The band held zeros before, or the same strip. */
INLINE void pack_rows(const pass *g, real *band, const real *x, int64_t planes, int64_t c0, int64_t columns, int64_t o0,
                      int64_t o1, const int64_t stride)
{
  const int64_t in = g->columns[0].in, low = c0 * stride + g->low, top = low + (columns - 1) * stride + g->reach + 1;
  const int64_t first = low > 0 ? low : 0, count = (top < in ? top : in) - first;
  const int64_t row0 = o0 * g->rows.stride + g->row_low, end = row0 + band_rows(g, o1 - o0);
  const int64_t from = row0 > 0 ? row0 : 0, to = end < g->rows.in ? end : g->rows.in;
  const int64_t source_pitch = g->source_pitch, row_pitch = g->row_pitch, side = g->side, x_pitch = g->plane->x_pitch;
  if (count <= 0) return;
  const row_copy copy = row_copy_of(count, first - low, stride);
  for (int64_t i = 0; i < g->sources; i++)
    for (int64_t n = 0; n < planes; n++) {
      const real *row = x + g->source[i] + n * x_pitch + from * in + first;
      real *at = band + i * source_pitch + (from - row0) * row_pitch + n * side;
      if (stride == 1 && count < LANES) /* the zeros behind are another plane's place, whose turn comes later */
        for (int64_t r = from; r < to; r++, row += in, at += row_pitch)
          *(vector *)(at + copy.lead) = load_kept(copy.last[0], row);
      else
        for (int64_t r = from; r < to; r++, row += in, at += row_pitch) pack_row(g, &copy, at, row, stride);
    }
}
INLINE void pack_band(const pass *g, real *band, const real *x, int64_t planes, int64_t c0, int64_t columns, int64_t o0,
                      int64_t o1)
{
  const int64_t stride = g->columns[0].stride;
  if (stride == 1)
    pack_rows(g, band, x, planes, c0, columns, o0, o1, 1);
  else if (stride == 2)
    pack_rows(g, band, x, planes, c0, columns, o0, o1, 2);
  else
    pack_rows(g, band, x, planes, c0, columns, o0, o1, stride);
}

/* Points row[] to the band's rows that outputs [o0, o1) read, and to `zeros` for rows beside the image. */
INLINE void point_rows(const pass *g, const real **row, const real *band, const real *zeros, int64_t o0, int64_t o1)
{
  const int64_t row0 = o0 * g->rows.stride + g->row_low, count = band_rows(g, o1 - o0);
  for (int64_t r = 0; r < count; r++) row[r] = row0 + r >= 0 && row0 + r < g->rows.in ? band + r * g->row_pitch : zeros;
}

#endif
