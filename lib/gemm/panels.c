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

/* What a store does besides; the compiler knows the flags in most instances of a loop. */
typedef struct {
  bool add, bias, residual, bounds;
  vector low, high; /* the bounds */
} epilogue;

INLINE epilogue epilogue_of(const cb_store *t)
{
  epilogue e = {.add = t->add, .bias = t->bias, .residual = t->residual, .bounds = t->bounds};
  if (e.bounds) e.low = ((const real *)t->bounds)[0] - (vector){0}, e.high = ((const real *)t->bounds)[1] - (vector){0};
  return e;
}

/* Stores m neighbours in out, from `at` on, through the epilogue; they share the bias at *bias. NaN stays. */
INLINE void finish_vector(const cb_store *t, const epilogue *e, int64_t at, vector value, const real *bias, int64_t m)
{
  real *out = (real *)t->out + at;
  if (e->add) value = load(out, m) + value;
  if (e->bias) value += *bias - (vector){0};
  if (e->residual) value += load((const real *)t->residual + at, m);
  if (e->bounds) {
    value = choose(greater(e->low, value), e->low, value);
    value = choose(greater(value, e->high), e->high, value);
  }
  put(out, value, m);
}

/* Rows [first, first + m) of a block, side by side in out from `at` on or, if `spread`, in every second place. */
typedef struct {
  int64_t first, m, at;
  bool spread;
} stretch;

/* Finds the stretches of rows [i, i + m), and returns how many. None is spread where there is an epilogue. */
static int find_stretches(const cb_store *t, bool plain, int64_t i, int64_t m, stretch stretches[LANES])
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
INLINE void finish_lane(const cb_store *t, const epilogue *e, const stretch *stretches, int count, int64_t lane,
                        vector v, const real *bias)
{
  for (int k = 0; k < count; k++) {
    const stretch *r = &stretches[k];
    int64_t at = r->at + lane * t->lane_step;
    vector value = r->first ? shift_down(v, r->first) : v;
    if (r->spread)
      put_spread((real *)t->out + at, value, r->m);
    else
      finish_vector(t, e, at, value, bias, r->m);
  }
}

/* Stores a block whose rows are neighbours in out, or stretches of neighbours: squares of LANES rows are transposed. */
INLINE void store_transposed(const cb_store *t, const epilogue e)
{
  const bool plain = !e.add && !e.bias && !e.residual && !e.bounds;
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
            finish_vector(t, &e, stretches[0].at + (j + l) * t->lane_step, v[l], bias ? bias + j + l : NULL, m);
        }
      else
        for (int l = 0; l < LANES && l < lanes; l++)
          finish_lane(t, &e, stretches, count, j + l, v[l], bias ? bias + j + l : NULL);
    }
  }
}

/* Stores a block whose lanes are neighbours in out. */
INLINE void store_straight(const cb_store *t, const epilogue e)
{
  const real *c = t->c, *bias = t->bias;
  const int64_t m = t->m, count = t->count;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < count; j += LANES)
      finish_vector(t, &e, i * t->row_step + j, load(c + i * t->ldc + j, count - j), bias ? bias + i : NULL, count - j);
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

/* The stores for an epilogue, or for what is left of it: the loops know which. */
#define INSTANCE(NAME, BIAS, RESIDUAL, BOUNDS)                                                                         \
  INLINE epilogue epilogue_##NAME(const cb_store *t)                                                                   \
  {                                                                                                                    \
    epilogue e = epilogue_of(t);                                                                                       \
    e.add = false, e.bias = BIAS, e.residual = RESIDUAL, e.bounds = BOUNDS;                                            \
    return e;                                                                                                          \
  }                                                                                                                    \
  static void store_transposed_##NAME(const cb_store *t)                                                               \
  {                                                                                                                    \
    store_transposed(t, epilogue_##NAME(t));                                                                           \
  }                                                                                                                    \
  static void store_straight_##NAME(const cb_store *t)                                                                 \
  {                                                                                                                    \
    store_straight(t, epilogue_##NAME(t));                                                                             \
  }
INSTANCE(plain, false, false, false)
INSTANCE(bias, true, false, false)
INSTANCE(bias_bounds, true, false, true)
INSTANCE(bias_residual_bounds, true, true, true)

static void store_transposed_any(const cb_store *t)
{
  store_transposed(t, epilogue_of(t));
}
static void store_straight_any(const cb_store *t)
{
  store_straight(t, epilogue_of(t));
}

/* The instance for a block's epilogue: of transposed stores, and of straight ones. */
static const struct {
  void (*transposed)(const cb_store *), (*straight)(const cb_store *);
} general = {store_transposed_any, store_straight_any},
  instances[2][2][2] = {
      /* bias, residual, bounds */
      [0][0][0] = {store_transposed_plain, store_straight_plain},
      [1][0][0] = {store_transposed_bias, store_straight_bias},
      [1][0][1] = {store_transposed_bias_bounds, store_straight_bias_bounds},
      [1][1][1] = {store_transposed_bias_residual_bounds, store_straight_bias_residual_bounds}};

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
  const bool bias = t->bias, residual = t->residual, bounds = t->bounds,
             plain = !t->add && !bias && !residual && !bounds;
  const bool special = !t->add && instances[bias][residual][bounds].straight;
  if (!t->bias_rows && (t->place || t->row_step == 1))
    (special ? instances[bias][residual][bounds] : general).transposed(t);
  else if (!t->place && t->lane_step == 1 && (t->bias_rows || !bias))
    plain && t->past ? store_past(t) : (special ? instances[bias][residual][bounds] : general).straight(t);
  else if (plain)
    store_plain(t);
  else
    for (int64_t j = 0; j < t->count; j++)
      for (int64_t i = 0; i < t->m; i++) finish(t, i, j);
}
