/* The activation functions over arrays, and their gradients; see activations.h. */
#include "gemm/activations.h"
#include "gemm/exponential.h"

/* SELU's constants: Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural networks", 2017. */
static const real selu_scale = (real)1.0507009873554804934, selu_alpha = (real)1.6732632423543772848;

/* x within bounds, so that its product with a factor that vanishes vanishes too, and does not become NaN. */
INLINE vector bounded(vector x)
{
  return not_above(not_below(x, -1000), 1000);
}

/* x / (1 + e^-x) = max(x, 0) - a e^-a / (1 + e^-a), a = |x|: the product is taken before the lift is undone, so that it
   keeps its digits. */
INLINE vector swish(vector x)
{
  vector a = not_above(magnitude(x), -lowest), lifted = lifted_exp_negative(-a);
  return not_below(x, 0) - a * lifted / (lifted * lower + 1) * lower;
}

/* The derivative of swish: s + x s c, where s is the sigmoid of x and c that of -x. */
INLINE vector swish_slope(vector x)
{
  vector e = lifted_exp_negative(minus_magnitude(x)) * lower, above = 1 / (1 + e), below = e * above;
  return choose(greater((vector){0}, x), below, above) + bounded(x) * (above * below);
}

static inline real hard_swish(real x)
{
  return x <= -3 ? 0 : x >= 3 ? x : x * ((x + 3) / 6);
}

static inline real hard_swish_slope(real x)
{
  return x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6;
}

/* The Gaussian's tail: Phi(-a) = e^(-a^2 / 2) g(a) for 0 <= a <= limit. For f32 with fused products, g is a quotient of polynomials
   of a, the upper one without its constant 1 / 2 (relative error 1.1e-8); without them its roundings would add up to over 4 units in
   the last place, and for f64 it would have twice as many terms: there (a + 4) g(a) is a polynomial in 2 a / (a + 4) - 1,
   interpolated in Chebyshev's nodes (1.4e-8, f64: 4e-17). For a larger a, a Phi(-a) rounds to 0. */
#if CB_REAL_BITS == 32 && defined __FMA__
static const real tail_limit = 14.5f;
static const real tail_above[] = {0.00401868065f, 0.0400408689f, 0.181584615f, 0.436238236f};
static const real tail_below[] = {0.0100732184f, 0.100374139f, 0.465084623f, 1.19592183f, 1.67036124f, 1};

/* g(a) */
INLINE vector tail(vector a)
{
  return (a * POLYNOMIAL(tail_above, a) + (real)0.5) / POLYNOMIAL(tail_below, a);
}

/* a g(a): the product of a and the quotient's upper part is rounded once. */
INLINE vector tail_times(vector a)
{
  return (a * a * POLYNOMIAL(tail_above, a) + a * (real)0.5) / POLYNOMIAL(tail_below, a);
}
#else
#if CB_REAL_BITS == 32
static const real tail_limit = 14.5f;
static const real tail_terms[] = {-0.000125558386f, 0.000188996519f, 0.00156688169f, -0.00352097282f, -0.00752540242f,
                                  0.0604061855f,    -0.186523307f,   0.387136683f,   -0.607896594f,   0.755285139f};
#else
static const real tail_limit = 38.75;
static const real tail_terms[] = {
    -9.6534254202285046694e-10, 7.2695454790266894559e-11,  1.3924023993501710103e-8,  1.4578593347036459717e-8,
    -7.6380820534904503495e-8,  -1.5426320536771073947e-7,  2.6368248576407625062e-7,  1.0198048518135172659e-6,
    -6.2513210404786801933e-7,  -5.9188927317632364472e-6,  7.1500559592160986612e-7,  0.00003514418115776097273,
    -1.9078665316613574344e-6,  -0.00023109481831937621135, 0.00013334425401904911618, 0.0016308184418903595964,
    -0.0034796923622425333441,  -0.0075401889655930590206,  0.060396574890699464128,   -0.18652185795969416326,
    0.3871374007422188786,      -0.60789664197189175887,    0.75528513041575147989};
#endif

/* g(a) */
INLINE vector tail(vector a)
{
  vector inverse = 1 / (a + 4);
  return POLYNOMIAL(tail_terms, 2 * (a * inverse) - 1) * inverse;
}

/* a g(a) */
INLINE vector tail_times(vector a)
{
  vector part = a / (a + 4);
  return POLYNOMIAL(tail_terms, 2 * part - 1) * part;
}
#endif

/* x Phi(x) = max(x, 0) - a Phi(-a), a = |x|: the product is taken before the lift is undone, and keeps its digits. */
INLINE vector gelu(vector x)
{
  vector a = not_above(magnitude(x), tail_limit), scale, m = expm1_of_square(a, &scale);
  vector lifted = tail_times(a) * scale;
  return not_below(x, 0) - (m * lifted + lifted) * lower;
}

/* The derivative of gelu, Phi(x) + x phi(x) with the density phi: e^(-a^2 / 2) (g(a) - a / sqrt(2 pi)) for x < 0, and 1
   less that of -x for x > 0. */
INLINE vector gelu_slope(vector x)
{
  vector a = not_above(magnitude(x), tail_limit), scale, m = expm1_of_square(a, &scale);
  vector lifted = (tail(a) - a * (real)0.39894228040143267794) * scale, below = (m * lifted + lifted) * lower;
  return choose(greater(x, (vector){0}), 1 - below, below);
}

/* ELU below 0, without alpha: e^x - 1, and 0 for x > 0. */
INLINE vector elu_below(vector x)
{
  return expm1_negative(not_above(x, 0));
}

/* Arrays are walked in pieces, their ends vector by vector. At AVX2 a piece has several vectors, whose operations do not wait for each
   other and are mixed by the compiler (-fschedule-insns): a Zen 3 looks ahead over few vectors. */
enum { TOGETHER = CB_LEVEL_ROW(CB_LEVEL_BYTES) == 32 ? 4 : 1, PIECE = TOGETHER * LANES };

/* EACH(value) sets each to[i] to the value. An iteration reads its own element before it writes: `to` may be `from`. */
#define EACH(value) _Pragma("GCC ivdep") for (int64_t i = 0; i < count; i++) to[i] = value

/* EACH_VECTOR(value) does so a piece at a time, then a vector at a time, from a vector `v` of x; EACH_PAIR(value) from `v` and `e`, a
   vector of dy. */
#define EACH_OF(value, ...)                                                                                            \
  {                                                                                                                    \
    int64_t i = 0;                                                                                                     \
    for (; i + PIECE <= count; i += PIECE) {                                                                           \
      vector result[TOGETHER];                                                                                         \
      UNROLL for (int k = 0; k < TOGETHER; k++)                                                                        \
      {                                                                                                                \
        const int64_t at = i + k * LANES;                                                                              \
        const vector __VA_ARGS__;                                                                                      \
        result[k] = value;                                                                                             \
      }                                                                                                                \
      UNROLL for (int k = 0; k < TOGETHER; k++) * (vector *)(to + i + k * LANES) = result[k];                          \
    }                                                                                                                  \
    for (; TOGETHER > 1 && i < count; i += LANES) {                                                                    \
      const int64_t at = i;                                                                                            \
      const vector __VA_ARGS__;                                                                                        \
      *(vector *)(to + at) = value;                                                                                    \
    }                                                                                                                  \
  }
#define EACH_VECTOR(value) EACH_OF(value, v = *(const vector *)(x + at))
#define EACH_PAIR(value)   EACH_OF(value, v = *(const vector *)(x + at), e = *(const vector *)(dy + at))

/* forward() of whole vectors. */
static __attribute__((noinline)) void forward_vectors(const cnnblas_activation *f, int64_t count, const real *x,
                                                      real *to)
{
  const real alpha = (real)f->alpha, beta = (real)f->beta;
  switch (f->kind) {
  case CNNBLAS_RELU:
    EACH_VECTOR(not_below(v, 0));
    break;
  case CNNBLAS_LEAKY_RELU:
    EACH_VECTOR(choose(greater(v, (vector){0}), v, alpha * v));
    break;
  case CNNBLAS_CLIP:
    EACH(x[i] < alpha ? alpha : x[i] > beta ? beta : x[i]);
    break;
  case CNNBLAS_SIGMOID:
    EACH_VECTOR(sigmoid(v));
    break;
  case CNNBLAS_TANH:
    EACH_VECTOR(hyperbolic_tangent(v));
    break;
  case CNNBLAS_ELU:
    EACH_VECTOR(choose(greater((vector){0}, v), alpha * elu_below(v), v)); /* an infinite alpha times 0 is no 0 */
    break;
  case CNNBLAS_SELU:
    EACH_VECTOR((selu_scale * selu_alpha) * elu_below(v) + selu_scale * not_below(v, 0));
    break;
  case CNNBLAS_SOFTPLUS:
    EACH_VECTOR(softplus(v));
    break;
  case CNNBLAS_HSIGMOID:
    EACH(x[i] <= -3 ? 0 : x[i] >= 3 ? 1 : (x[i] + 3) / 6);
    break;
  case CNNBLAS_SWISH:
    EACH_VECTOR(swish(v));
    break;
  case CNNBLAS_HSWISH:
    EACH(hard_swish(x[i]));
    break;
  case CNNBLAS_GELU:
    EACH_VECTOR(gelu(v));
    break;
  default:
    if (x != to) memcpy(to, x, (size_t)count * sizeof *to);
  }
}

/* backward() of whole vectors; x or y is what `from` holds: cb_activation_needs_x. */
static __attribute__((noinline)) void backward_vectors(const cnnblas_activation *f, int64_t count, const real *from,
                                                       const real *dy, real *to)
{
  const real *x = from, *y = from, alpha = (real)f->alpha, beta = (real)f->beta;
  switch (f->kind) {
  case CNNBLAS_RELU:
    EACH(y[i] <= 0 ? 0 : dy[i]);
    break;
  case CNNBLAS_LEAKY_RELU:
    EACH(y[i] > 0 ? dy[i] : alpha * dy[i]);
    break;
  case CNNBLAS_CLIP:
    EACH(((y[i] <= alpha) | (y[i] >= beta)) ? 0 : dy[i]);
    break;
  case CNNBLAS_SIGMOID:
    EACH(dy[i] * (y[i] * (1 - y[i])));
    break;
  case CNNBLAS_TANH:
    EACH(dy[i] * (1 - y[i] * y[i]));
    break;
  case CNNBLAS_ELU:
    EACH(y[i] > 0 ? dy[i] : dy[i] * (y[i] + alpha));
    break;
  case CNNBLAS_SELU:
    EACH(y[i] > 0 ? dy[i] * selu_scale : dy[i] * (y[i] + selu_scale * selu_alpha));
    break;
  case CNNBLAS_SOFTPLUS:
    EACH_PAIR(e * -expm1_negative(-v));
    break;
  case CNNBLAS_HSIGMOID:
    EACH(((y[i] <= 0) | (y[i] >= 1)) ? 0 : dy[i] / 6);
    break;
  case CNNBLAS_SWISH:
    EACH_PAIR(e * swish_slope(v));
    break;
  case CNNBLAS_HSWISH:
    EACH(dy[i] * hard_swish_slope(x[i]));
    break;
  case CNNBLAS_GELU:
    EACH_PAIR(e * gelu_slope(v));
    break;
  default:
    if (dy != to) memcpy(to, dy, (size_t)count * sizeof *to);
  }
}

/* What is left behind the last whole vector is computed as one in a room of its own, by the same function: an element has the same bits
   wherever it lies, but for the sign of a NaN. */
static void forward(const cnnblas_activation *f, int64_t count, const void *from, void *result)
{
  const int64_t whole = count / LANES * LANES, rest = count - whole;
  if (whole > 0) forward_vectors(f, whole, from, result);
  if (rest == 0) return;
  real room[LANES] = {0};
  memcpy(room, (const real *)from + whole, (size_t)rest * sizeof *room);
  forward_vectors(f, LANES, room, room);
  memcpy((real *)result + whole, room, (size_t)rest * sizeof *room);
}

static void backward(const cnnblas_activation *f, int64_t count, const void *from, const void *error, void *result)
{
  const int64_t whole = count / LANES * LANES, rest = count - whole;
  if (whole > 0) backward_vectors(f, whole, from, error, result);
  if (rest == 0) return;
  real room[LANES] = {0}, dy[LANES] = {0};
  memcpy(room, (const real *)from + whole, (size_t)rest * sizeof *room);
  memcpy(dy, (const real *)error + whole, (size_t)rest * sizeof *dy);
  backward_vectors(f, LANES, room, dy, dy);
  memcpy((real *)result + whole, dy, (size_t)rest * sizeof *dy);
}

extern const cb_activations CB_NAME(cb_activations);
const cb_activations CB_NAME(cb_activations) = {forward, backward};
