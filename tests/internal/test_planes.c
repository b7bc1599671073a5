/*
 * The plane kernels of every level alone, against plain loops in double: correlate and correlate_weights, every width about
 * the vectors' sizes, strides 1 to 3 and their transposes, dilation either way, one plane and several; x ends or begins at
 * a page that traps, and what lies beside y stays.
 */
#include "internal/levels.h"
#include "support/guarded.h"
#include "support/oracle.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static uint64_t seed;
static guarded input, output, weights;

/* Where tap t of output o reads, or -1. */
static int64_t meets(const cb_plane_axis *a, bool up, int64_t o, int64_t t)
{
  int64_t i = (up ? o : o * a->stride) + a->base + t * a->step;
  if (up && (i < 0 || i % a->stride)) return -1;
  if (up) i /= a->stride;
  return i >= 0 && i < a->in ? i : -1;
}

static cb_plane_axis random_axis(rng *r, bool up, int64_t most)
{
  cb_plane_axis a = {.out = rng_range(r, 1, most), .taps = rng_chance(r, 60) ? 3 : rng_range(r, 1, 11)};
  a.stride = rng_chance(r, 45) ? 1 : rng_chance(r, 70) ? 2 : 3;
  a.step = rng_chance(r, 70) ? 1 : rng_range(r, 2, 3);
  if (rng_chance(r, 40)) a.step = -a.step;
  a.in = up ? a.out / a.stride + 1 : (a.out - 1) * a.stride + rng_range(r, 1, 4);
  a.base = rng_range(r, -3, 1) - (a.step < 0 ? (a.taps - 1) * a.step : 0);
  return a;
}

/* The sum of one output in double, and of the magnitudes: of group n, its output m. */
static double expected(const cb_plane *p, cnnblas_dtype dtype, int64_t n, int64_t m, int64_t oh, int64_t ow,
                       double *size)
{
  double sum = 0;
  *size = 0;
  for (int64_t c = 0; c < p->channels; c++)
    for (int64_t th = 0; th < p->h.taps; th++)
      for (int64_t tw = 0; tw < p->w.taps; tw++) {
        int64_t ih = meets(&p->h, p->up, oh, th), iw = meets(&p->w, p->up, ow, tw);
        if (ih < 0 || iw < 0) continue;
        double x = array_get(dtype, p->x, n * p->x_pitch + c * p->x_channel + ih * p->w.in + iw);
        double w = array_get(dtype, p->weights,
                             n * p->weight_pitch + m * p->weight_out + c * p->weight_channel + th * p->w.taps + tw);
        sum += x * w;
        *size += fabs(x * w);
      }
  return sum;
}

static void say(const cb_engine *engine, const char *what, const cb_plane *p)
{
  harness_doing("%s %s: in %lldx%lld out %lldx%lld taps %lldx%lld stride %lldx%lld base %lld %lld step %lld %lld up %d "
                "planes %lld add %d, seed %llu",
                engine->name, what, (long long)p->h.in, (long long)p->w.in, (long long)p->h.out, (long long)p->w.out,
                (long long)p->h.taps, (long long)p->w.taps, (long long)p->h.stride, (long long)p->w.stride,
                (long long)p->h.base, (long long)p->w.base, (long long)p->h.step, (long long)p->w.step, p->up,
                (long long)p->planes, p->add, (unsigned long long)seed);
}

/* Planes of every kind; tall ones whose rows are shorter than a vector, of which whole vectors reach into the next plane; tiny
   ones, several to a vector; many small ones, whose sums are added up together; and long rows, which go by parts. */
static cb_plane random_plane(rng *r, bool up)
{
  static const struct {
    int chance;
    int64_t rows, columns, planes;
  } kinds[] = {{10, 64, 5, 4}, {20, 3, 5, 12}, {15, 17, 18, 20}, {4, 6, 700, 2}, {100, 12, 70, 4}};
  int i = 0;
  while (!rng_chance(r, kinds[i].chance)) i++;
  cb_plane p = {.h = random_axis(r, up, kinds[i].rows),
                .w = random_axis(r, up, kinds[i].columns),
                .up = up,
                .planes = rng_range(r, 1, kinds[i].planes)};
  if (rng_chance(r, 60)) p.h.taps = p.w.taps = rng_chance(r, 50) ? 3 : 5, p.h.stride = p.w.stride;
  if (up) p.h.in = p.h.out / p.h.stride + 1;
  if (!up) p.h.in = (p.h.out - 1) * p.h.stride + 1;
  p.x_pitch = p.h.in * p.w.in;
  p.y_pitch = p.h.out * p.w.out;
  p.images = 1;
  p.channels = p.depths = p.outs = 1;
  p.weight_pitch = p.h.taps * p.w.taps;
  return p;
}

/* Makes the planes groups of some channels and outputs. */
static void sum_over_channels(cb_plane *p, int64_t channels, int64_t outs)
{
  p->channels = channels;
  p->x_channel = p->x_pitch;
  p->x_pitch *= channels;
  p->outs = outs;
  p->y_out = p->y_pitch;
  p->y_pitch *= outs;
  p->weight_channel = p->weight_pitch;
  p->weight_out = channels * p->weight_channel;
  p->weight_pitch = outs * p->weight_out;
}

static void correlate_once(const cb_engine *engine, cnnblas_dtype dtype, rng *r)
{
  size_t element = element_bytes(dtype);
  cb_plane p = random_plane(r, rng_chance(r, 40));
  if (rng_chance(r, 40)) sum_over_channels(&p, rng_range(r, 1, 5), rng_range(r, 1, 6));
  placement where = rng_chance(r, 50) ? AGAINST_END : AGAINST_START;
  p.add = rng_chance(r, 30);
  say(engine, "correlate", &p);
  guarded_reset(&input, (size_t)(p.planes * p.x_pitch) * element, where);
  guarded_reset(&output, (size_t)(p.planes * p.y_pitch) * element, where);
  guarded_reset(&weights, (size_t)(p.planes * p.weight_pitch) * element, where);
  guarded_fill_reals(dtype, &input, r);
  guarded_fill_reals(dtype, &weights, r);
  for (int64_t i = 0; i < p.planes * p.y_pitch; i++) array_set(dtype, output.data, i, 0.5);
  p.x = input.data, p.y = output.data, p.weights = weights.data;
  p.after = p.planes * p.x_pitch;
  guarded_protect(&input, true);
  engine->correlate(&p);
  guarded_protect(&input, false);
  double unit = dtype == CNNBLAS_F64 ? 0x1p-53 : 0x1p-24;
  for (int64_t n = 0; n < p.planes; n++)
    for (int64_t o = 0; o < p.y_pitch; o++) {
      const int64_t pixels = p.h.out * p.w.out, at = o % pixels;
      double size, want = expected(&p, dtype, n, o / pixels, at / p.w.out, at % p.w.out, &size) + (p.add ? 0.5 : 0);
      double got = array_get(dtype, output.data, n * p.y_pitch + o);
      if (!(fabs(got - want) <= 2 * (double)(p.channels * p.h.taps * p.w.taps + 2) * unit * (size + 0.5)))
        FAIL("plane %lld output %lld is %g, expected %g", (long long)n, (long long)o, got, want);
    }
  if (!guarded_intact(&input) || !guarded_intact(&output)) FAIL("something next to an array has been written");
}

static void weigh_once(const cb_engine *engine, cnnblas_dtype dtype, rng *r)
{
  size_t element = element_bytes(dtype);
  cb_plane p = random_plane(r, false);
  placement where = rng_chance(r, 50) ? AGAINST_END : AGAINST_START;
  p.images = rng_range(r, 1, 3);
  p.x_image = p.planes * p.x_pitch;
  p.y_image = p.planes * p.y_pitch;
  say(engine, "correlate_weights", &p);
  guarded_reset(&input, (size_t)(p.images * p.x_image) * element, where);
  guarded_reset(&output, (size_t)(p.images * p.y_image) * element, where);
  guarded_reset(&weights, (size_t)(p.planes * p.h.taps * p.w.taps) * element, where);
  guarded_fill_reals(dtype, &input, r);
  guarded_fill_reals(dtype, &output, r);
  for (int64_t i = 0; i < p.planes * p.h.taps * p.w.taps; i++) array_set(dtype, weights.data, i, 0.5);
  p.x = input.data, p.y = output.data;
  p.after = p.images * p.x_image;
  guarded_protect(&input, true);
  guarded_protect(&output, true);
  engine->correlate_weights(&p, weights.data);
  guarded_protect(&input, false);
  guarded_protect(&output, false);
  double unit = dtype == CNNBLAS_F64 ? 0x1p-53 : 0x1p-24;
  for (int64_t k = 0; k < p.planes * p.h.taps * p.w.taps; k++) {
    int64_t n = k / p.w.taps / p.h.taps, th = k / p.w.taps % p.h.taps, tw = k % p.w.taps, terms = 1;
    double want = 0.5, size = 0.5;
    for (int64_t image = 0; image < p.images; image++)
      for (int64_t o = 0; o < p.y_pitch; o++) {
        int64_t ih = meets(&p.h, false, o / p.w.out, th), iw = meets(&p.w, false, o % p.w.out, tw);
        if (ih < 0 || iw < 0) continue;
        double x = array_get(dtype, p.x, image * p.x_image + n * p.x_pitch + ih * p.w.in + iw);
        double y = array_get(dtype, p.y, image * p.y_image + n * p.y_pitch + o);
        want += x * y, size += fabs(x * y), terms++;
      }
    double got = array_get(dtype, weights.data, k);
    if (!(fabs(got - want) <= 2 * (double)(terms + 2) * unit * size))
      FAIL("sum %lld is %g, expected %g", (long long)k, got, want);
  }
}

static void engine_rounds(const cb_engine *engine, cnnblas_dtype dtype)
{
  enum { ROUNDS = 1500 };
  rng r = rng_at(seed, (uint64_t)dtype * 100 + (uint64_t)engine->lanes);
  for (int i = 0; i < ROUNDS; i++) correlate_once(engine, dtype, &r);
  for (int i = 0; i < ROUNDS; i++) weigh_once(engine, dtype, &r);
  printf("  %s: %d correlations and as many of weights\n", engine->name, ROUNDS);
}

static void test_planes(void **state)
{
  (void)state;
  levels_run(engine_rounds);
  guarded *all[] = {&input, &output, &weights};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) guarded_free(all[i]);
}

int main(void)
{
  seed = rng_seed(20240817);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_planes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
