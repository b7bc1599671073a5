/*
 * Moving between the two orders of a matrix: packing lanes from rows, and storing a finished tile, straight or
 * transposed, with its epilogue. Everything goes by vectors; a transposition takes as many of them as a vector has
 * elements, in registers. Nothing is read or written outside the matrices: vectors that would reach over are taken
 * apart.
 */
#include "gemm/engine_build.h"
#include "gemm/turn.h"

enum { PACK_STEPS = 512 }; /* steps of a stretch: its lanes stay in L2, its rows are long enough to prefetch */

/* Packs steps [s0, s1) of lanes [j, j + LANES) for cb_pack_lanes; the source has `end` elements. */
static void pack_stretch(real *dst, const real *src, int64_t ld, int64_t s0, int64_t s1, int64_t j, int64_t count,
                         int64_t width, int64_t end)
{
  int64_t rows = count - j < LANES ? count - j : LANES, lanes = width - j < LANES ? width - j : LANES;
  for (int64_t s = s0; s < s1; s += LANES) {
    vector v[LANES];
    const int64_t taken = s1 - s < LANES ? s1 - s : LANES;
    if (rows == LANES && taken == LANES && lanes == LANES) {
      turn_rows(src + j * ld + s, ld, v);
      UNROLL for (int i = 0; i < LANES; i++) * (vector *)(dst + (s + i) * width + j) = v[i];
      continue;
    }
    UNROLL for (int i = 0; i < LANES; i++)
    {
      int64_t at = (j + i) * ld + s;
      v[i] = i < rows ? load(src + at, end - at) : (vector){0};
    }
    transpose(v);
    UNROLL for (int i = 0; i < LANES; i++) if (i < taken) put(dst + (s + i) * width + j, v[i], lanes);
  }
}

void CB_NAME(cb_pack_lanes)(void *to, const void *from, int64_t ld, int64_t steps, int64_t count, int64_t width)
{
  int64_t end = (count - 1) * ld + steps;
  for (int64_t s = 0; s < steps; s += PACK_STEPS)
    for (int64_t j = 0; j < width; j += LANES)
      pack_stretch(to, from, ld, s, s + PACK_STEPS < steps ? s + PACK_STEPS : steps, j, count, width, end);
}

void CB_NAME(cb_ask)(const void *rows, int64_t pitch, int64_t count, int64_t bytes)
{
  enum { LINE = 64 };
  const char *row = rows;
  for (int64_t i = 0; i < count; i++, row += pitch) {
    for (int64_t at = 0; at < bytes; at += LINE) __builtin_prefetch(row + at, 1);
    __builtin_prefetch(row + bytes - 1, 1);
  }
}

/* Where row i lies in out. */
INLINE int64_t row_place(const cb_store *t, int64_t i)
{
  return t->place ? t->place[i] : i * t->row_step;
}

/* Stores one element through the epilogue. */
static inline void finish(const cb_store *t, int64_t i, int64_t j)
{
  const real *bias = t->bias, *residual = t->residual, *bounds = t->bounds;
  int64_t at = row_place(t, i) + j * t->lane_step;
  real *out = (real *)t->out + at, value = ((const real *)t->c)[i * t->ldc + j];
  if (t->add) value = *out + value;
  if (bias) value += bias[t->bias_rows ? i : j];
  if (residual) value += residual[at];
  if (bounds) value = value < bounds[0] ? bounds[0] : value > bounds[1] ? bounds[1] : value;
  *out = value;
}

/* v between two bounds; NaN stays. */
INLINE vector between(const real *bounds, vector v)
{
  const vector low = bounds[0] - (vector){0}, high = bounds[1] - (vector){0};
  v = choose(greater(low, v), low, v);
  return choose(greater(v, high), high, v);
}

/* Stores m neighbours in out, from `at` on, through the epilogue, unless `plain`; they share the bias at *bias. */
INLINE void finish_vector(const cb_store *t, const bool plain, int64_t at, vector value, const real *bias, int64_t m)
{
  real *out = (real *)t->out + at;
  if (!plain) {
    if (t->add) value = load(out, m) + value;
    if (t->bias) value += *bias - (vector){0};
    if (t->residual) value += load((const real *)t->residual + at, m);
    if (t->bounds) value = between(t->bounds, value);
  }
  put(out, value, m);
}

/* Rows [first, first + m) of a block, side by side in out from `at` on or, if `spread`, in every second place. */
typedef struct {
  int64_t first, m, at;
  bool spread;
} stretch;

/* Finds the stretches of rows [i, i + m), and returns how many. None is spread where there is an epilogue. */
static int find_stretches(const cb_store *t, const bool plain, int64_t i, int64_t m, stretch stretches[LANES])
{
  if (!t->place) {
    stretches[0] = (stretch){0, m, i, false};
    return 1;
  }
  const int64_t *place = t->place + i;
  int n = 0;
  for (int64_t k = 0; k < m; n++) {
    int64_t length = 1, step = k + 1 < m ? place[k + 1] - place[k] : 0;
    if (step == 1 || (step == 2 && plain))
      while (k + length < m && place[k + length] == place[k] + length * step) length++;
    stretches[n] = (stretch){k, length, place[k], length > 1 && step == 2};
    k += length;
  }
  return n;
}

/* Stores one lane of a block, whose rows are the elements of v. */
INLINE void finish_lane(const cb_store *t, const bool plain, const stretch *stretches, int count, int64_t lane,
                        vector v, const real *bias)
{
  for (int k = 0; k < count; k++) {
    const stretch *r = &stretches[k];
    int64_t at = r->at + lane * t->lane_step;
    vector value = r->first ? shift_down(v, r->first) : v;
    if (r->spread)
      put_spread((real *)t->out + at, value, r->m);
    else
      finish_vector(t, plain, at, value, bias, r->m);
  }
}

/* Stores a block whose rows are neighbours in out, or stretches of neighbours: squares of LANES rows are transposed. */
INLINE void store_transposed(const cb_store *t, const bool plain)
{
  const real *c = t->c, *bias = t->bias;
  const int64_t end = (t->m - 1) * t->ldc + t->count;
  for (int64_t i = 0; i < t->m; i += LANES) {
    const int64_t m = t->m - i < LANES ? t->m - i : LANES;
    stretch stretches[LANES];
    const int count = find_stretches(t, plain, i, m, stretches);
    for (int64_t j = 0; j < t->count; j += LANES) {
      const int64_t lanes = t->count - j;
      const bool whole = (i + m - 1) * t->ldc + j + LANES <= end;
      vector v[LANES];
      UNROLL for (int k = 0; k < LANES; k++)
      {
        int64_t at = (i + k) * t->ldc + j;
        if (k >= m)
          v[k] = (vector){0};
        else
          v[k] = load(c + at, whole ? LANES : end - at);
      }
      transpose(v);
      UNROLL for (int l = 0; l < LANES; l++) v[l] += (vector){0}; /* -0 becomes +0 */
      if (count == 1 && !stretches[0].spread) UNROLL for (int l = 0; l < LANES; l++)
        {
          if (l < lanes)
            finish_vector(t, plain, stretches[0].at + (j + l) * t->lane_step, v[l], bias ? bias + j + l : NULL, m);
        }
      else
        for (int l = 0; l < LANES && l < lanes; l++)
          finish_lane(t, plain, stretches, count, j + l, v[l], bias ? bias + j + l : NULL);
    }
  }
}

/* What an epilogue does; the compiler knows it in each instance of a loop. */
typedef struct {
  bool bias, residual, bounds;
} epilogue;

/* Stores a block whose lanes are neighbours in out, which is not added to. */
INLINE void store_straight(const cb_store *t, const epilogue does)
{
  const real *row = t->c, *bias = t->bias, *residual = t->residual, *bounds = t->bounds;
  vector low = {0}, high = {0}, b = {0};
  if (does.bounds) low = bounds[0] - (vector){0}, high = bounds[1] - (vector){0};
  const int64_t row_step = t->row_step, ldc = t->ldc, m = t->m, count = t->count;
  real *out = t->out;
  for (int64_t i = 0; i < m; i++, out += row_step, row += ldc) {
    if (does.bias) b = bias[i] - (vector){0};
    for (int64_t j = 0; j < count; j += LANES) {
      const int64_t n = count - j;
      vector v = load(row + j, n);
      if (does.bias) v += b;
      if (does.residual) v += load(residual + i * row_step + j, n);
      if (does.bounds) v = choose(greater(low, v), low, v);
      if (does.bounds) v = choose(greater(v, high), high, v);
      put(out + j, v, n);
    }
  }
}

/* Stores such a block that out may be added to. */
static void store_straight_added(const cb_store *t)
{
  const real *c = t->c, *bias = t->bias;
  for (int64_t i = 0; i < t->m; i++)
    for (int64_t j = 0; j < t->count; j += LANES)
      finish_vector(t, false, i * t->row_step + j, load(c + i * t->ldc + j, t->count - j), bias ? bias + i : NULL,
                    t->count - j);
}

/* Stores such a block without an epilogue; whole vectors that are aligned go past the caches. */
static void store_past(const cb_store *t)
{
  const real *c = t->c;
  for (int64_t i = 0; i < t->m; i++) {
    real *out = (real *)t->out + i * t->row_step;
    int64_t lead = (int64_t)(-(uintptr_t)out % sizeof(vector) / sizeof(real)), j = lead < t->count ? lead : t->count;
    put(out, load(c + i * t->ldc, j), j);
    for (; j + LANES <= t->count; j += LANES) put_past(out + j, *(const vector *)(c + i * t->ldc + j));
    if (j < t->count) put(out + j, load(c + i * t->ldc + j, t->count - j), t->count - j);
  }
}

static void store_transposed_plain(const cb_store *t)
{
  store_transposed(t, true);
}
static void store_transposed_full(const cb_store *t)
{
  store_transposed(t, false);
}

#define STRAIGHT(NAME, ...)                                                                                            \
  static void store_straight_##NAME(const cb_store *t)                                                                 \
  {                                                                                                                    \
    store_straight(t, (epilogue){__VA_ARGS__});                                                                        \
  }
STRAIGHT(plain, .bias = false)
STRAIGHT(bias, .bias = true)
STRAIGHT(bounds, .bounds = true)
STRAIGHT(bias_bounds, .bias = true, .bounds = true)
STRAIGHT(residual, .residual = true)
STRAIGHT(bias_residual, .bias = true, .residual = true)
STRAIGHT(residual_bounds, .residual = true, .bounds = true)
STRAIGHT(all, .bias = true, .residual = true, .bounds = true)

static void store_straight_full(const cb_store *t)
{
  static void (*const instance[2][2][2])(const cb_store *) = {
      /* bias, residual, bounds */
      {{store_straight_plain, store_straight_bounds}, {store_straight_residual, store_straight_residual_bounds}},
      {{store_straight_bias, store_straight_bias_bounds}, {store_straight_bias_residual, store_straight_all}}};
  (t->add ? store_straight_added : instance[t->bias != NULL][t->residual != NULL][t->bounds != NULL])(t);
}

/* Stores a block at any steps, without an epilogue: the stage of a strided input gradient takes this. */
static void store_plain(const cb_store *t)
{
  const real *c = t->c;
  real *out = t->out;
  for (int64_t j = 0; j < t->count; j++)
    for (int64_t i = 0; i < t->m; i++) out[row_place(t, i) + j * t->lane_step] = c[i * t->ldc + j];
}

void CB_NAME(cb_store)(const cb_store *t)
{
  bool plain = !t->add && !t->bias && !t->residual && !t->bounds;
  if (!t->bias_rows && (t->place || t->row_step == 1))
    plain ? store_transposed_plain(t) : store_transposed_full(t);
  else if (!t->place && t->lane_step == 1 && (t->bias_rows || !t->bias))
    plain ? t->past ? store_past(t) : store_straight_plain(t) : store_straight_full(t);
  else if (plain)
    store_plain(t);
  else
    for (int64_t j = 0; j < t->count; j++)
      for (int64_t i = 0; i < t->m; i++) finish(t, i, j);
}
