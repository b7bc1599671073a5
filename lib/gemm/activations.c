/* The activation functions over arrays, and their gradients; see activations.h. */
#include "gemm/activations.h"
#include "gemm/exponential.h"

/* Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural networks", 2017. */
static const real selu_scale = (real)1.0507009873554804934, selu_alpha = (real)1.6732632423543772848;

/* x where the product with a factor that vanishes shall vanish too, and not become NaN. */
static inline real bounded(real x)
{
  const real most = 1000;
  return x < -most ? -most : x > most ? most : x;
}

/* x e / (1 + e) for x < 0: of a small e the product is taken before the lift is undone, so that it keeps its digits. */
static inline real swish(real x)
{
  real lifted = lifted_exp_negative(-(real)fabs(x)), above = 1 + lifted * lower;
  return x < 0 ? (x < lowest ? lowest : x) * lifted / above * lower : x / above;
}

/* With s the sigmoid of x and c that of -x: s (1 + x c). */
static inline real swish_slope(real x)
{
  real e = lifted_exp_negative(-(real)fabs(x)) * lower, below = x < 0 ? e : 1, above = x < 0 ? 1 : e;
  return below / (1 + e) * (1 + bounded(x) * (above / (1 + e)));
}

static inline real hard_swish(real x)
{
  return x <= -3 ? 0 : x >= 3 ? x : x * ((x + 3) / 6);
}

static inline real hard_swish_slope(real x)
{
  return x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6;
}

/* The Gaussian's distribution function by the C library, in double. The tail keeps its digits: what the rounding of
   x / sqrt(2) = z + rest has left is made good by erfc's slope. */
static inline double gauss(double x)
{
  const double high = -0.70710678118654752440, low = 4.8336466567264567e-17;
  double z = x * high, rest = fma(x, high, -z) + x * low;
  return 0.5 * (erfc(z) - rest * (1.1283791670955125739 * exp(-z * z)));
}

static inline double within_1000(double x)
{
  return x < -1000 ? -1000 : x > 1000 ? 1000 : x;
}

static inline real gelu(real x)
{
  double v = (double)x < -1000 ? -1000 : (double)x;
  return (real)(v * gauss(within_1000(v)));
}

static inline real gelu_slope(real x)
{
  double v = within_1000((double)x);
  return (real)(gauss(v) + v * (0.39894228040143267794 * exp(-0.5 * v * v)));
}

/* Each iteration reads its own element before writing it, so `to` == `from` is as good as apart. */
#define EACH(value) _Pragma("GCC ivdep") for (int64_t i = 0; i < count; i++) to[i] = value

static void forward(const cnnblas_activation *f, int64_t count, const void *from, void *result)
{
  const real *x = from, alpha = (real)f->alpha, beta = (real)f->beta;
  real *to = result;
  switch (f->kind) {
  case CNNBLAS_RELU:
    EACH(x[i] < 0 ? 0 : x[i]);
    break;
  case CNNBLAS_LEAKY_RELU:
    EACH(x[i] > 0 ? x[i] : alpha * x[i]);
    break;
  case CNNBLAS_CLIP:
    EACH(x[i] < alpha ? alpha : x[i] > beta ? beta : x[i]);
    break;
  case CNNBLAS_SIGMOID:
    EACH(sigmoid(x[i]));
    break;
  case CNNBLAS_TANH:
    EACH(hyperbolic_tangent(x[i]));
    break;
  case CNNBLAS_ELU:
    EACH(x[i] > 0 ? x[i] : alpha * expm1_negative(x[i] > 0 ? 0 : x[i]));
    break;
  case CNNBLAS_SELU:
    EACH(selu_scale * (x[i] > 0 ? x[i] : selu_alpha * expm1_negative(x[i] > 0 ? 0 : x[i])));
    break;
  case CNNBLAS_SOFTPLUS:
    EACH(softplus(x[i]));
    break;
  case CNNBLAS_HSIGMOID:
    EACH(x[i] <= -3 ? 0 : x[i] >= 3 ? 1 : (x[i] + 3) / 6);
    break;
  case CNNBLAS_SWISH:
    EACH(swish(x[i]));
    break;
  case CNNBLAS_HSWISH:
    EACH(hard_swish(x[i]));
    break;
  case CNNBLAS_GELU:
    EACH(gelu(x[i]));
    break;
  default:
    if (x != to) memcpy(to, x, (size_t)count * sizeof *to);
  }
}

static void backward(const cnnblas_activation *f, int64_t count, const void *from, const void *error, void *result)
{
  const real *x = from, *y = from, *dy = error, alpha = (real)f->alpha,
             beta = (real)f->beta; /* x or y: cb_activation_needs_x */
  real *to = result;
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
    EACH(dy[i] * -expm1_negative(-y[i]));
    break;
  case CNNBLAS_HSIGMOID:
    EACH(((y[i] <= 0) | (y[i] >= 1)) ? 0 : dy[i] / 6);
    break;
  case CNNBLAS_SWISH:
    EACH(dy[i] * swish_slope(x[i]));
    break;
  case CNNBLAS_HSWISH:
    EACH(dy[i] * hard_swish_slope(x[i]));
    break;
  case CNNBLAS_GELU:
    EACH(dy[i] * gelu_slope(x[i]));
    break;
  default:
    if (dy != to) memcpy(to, dy, (size_t)count * sizeof *to);
  }
}

extern const cb_activations CB_NAME(cb_activations);
const cb_activations CB_NAME(cb_activations) = {forward, backward};
