/*
 * Glyphs are strokes through points: x right, y down, in hundredths of the glyph's height, the origin in its middle. A
 * curve goes through its points as a Catmull-Rom spline. A pixel's ink is how far it lies inside the pen's edge, the
 * largest over all strokes, which smooths the edge over one pixel.
 */
#include "digits.h"
#include <cnnblas/layers.h>
#include <math.h>
#include <string.h>

enum { MAX_POINTS = 10, CURVE_STEPS = 6 };

typedef enum { LINE, CURVE } shape;

typedef struct stroke {
  int8_t digit, form; /* strokes of one form make a glyph */
  shape shape;
  int8_t count;
  int8_t points[MAX_POINTS][2];
} stroke;

static const stroke strokes[] = {
    {0, 0, CURVE, 9, {{0, -50}, {-26, -30}, {-30, 0}, {-26, 30}, {0, 50}, {26, 30}, {30, 0}, {26, -30}, {0, -50}}},
    {1, 0, LINE, 2, {{0, -50}, {0, 50}}},
    {1, 1, LINE, 3, {{-18, -30}, {0, -50}, {0, 50}}},
    {1, 2, LINE, 3, {{-16, -34}, {0, -50}, {0, 50}}},
    {1, 2, LINE, 2, {{-18, 50}, {18, 50}}},
    {2, 0, CURVE, 7, {{-26, -28}, {-16, -46}, {4, -50}, {22, -38}, {22, -18}, {2, 12}, {-28, 50}}},
    {2, 0, LINE, 2, {{-28, 50}, {28, 50}}},
    {3, 0, CURVE, 5, {{-24, -40}, {0, -50}, {22, -36}, {18, -12}, {-6, -2}}},
    {3, 0, CURVE, 5, {{-6, -2}, {20, 6}, {26, 28}, {6, 50}, {-26, 40}}},
    {3, 1, LINE, 3, {{-24, -50}, {22, -50}, {-4, -6}}},
    {3, 1, CURVE, 5, {{-4, -6}, {20, 4}, {26, 28}, {6, 50}, {-26, 40}}},
    {4, 0, LINE, 4, {{12, 50}, {12, -50}, {-30, 18}, {30, 18}}},
    {4, 1, LINE, 3, {{-20, -50}, {-24, 6}, {26, 6}}},
    {4, 1, LINE, 2, {{16, -34}, {16, 50}}},
    {5, 0, LINE, 3, {{24, -50}, {-20, -50}, {-22, -8}}},
    {5, 0, CURVE, 6, {{-22, -8}, {4, -16}, {26, 4}, {22, 36}, {0, 50}, {-26, 40}}},
    {6, 0, CURVE, 9, {{18, -50}, {-12, -26}, {-26, 14}, {-16, 44}, {6, 50}, {24, 34}, {20, 10}, {0, 0}, {-22, 16}}},
    {7, 0, LINE, 3, {{-28, -50}, {28, -50}, {-6, 50}}},
    {7, 1, LINE, 3, {{-28, -50}, {28, -50}, {-6, 50}}},
    {7, 1, LINE, 2, {{-10, 2}, {22, 2}}},
    {8, 0, CURVE, 7, {{0, -2}, {-22, -18}, {-18, -42}, {0, -50}, {18, -42}, {22, -18}, {0, -2}}},
    {8, 0, CURVE, 7, {{0, -2}, {-26, 16}, {-24, 42}, {0, 50}, {24, 42}, {26, 16}, {0, -2}}},
    {9, 0, CURVE, 8, {{24, -20}, {10, -2}, {-14, -4}, {-24, -26}, {-12, -46}, {8, -50}, {24, -34}, {24, -20}}},
    {9, 0, CURVE, 3, {{24, -20}, {22, 12}, {8, 50}}},
};
enum { STROKES = sizeof strokes / sizeof strokes[0] };

static const uint64_t forms[DIGITS_CLASSES] = {1, 3, 1, 2, 2, 1, 1, 2, 1, 1};

/* Numbers 0, 1, 2, ... of one image. The tag keeps them apart from the streams that initialise weights and shuffle. */
typedef struct source {
  uint64_t seed, stream, next;
} source;

static double between(source *s, double low, double high)
{
  return low + (high - low) * cnnblas_random_uniform(s->seed, s->stream, s->next++);
}

/* From the glyph's hundredths to pixels. */
typedef struct placement {
  double xx, xy, yx, yy, x, y;
} placement;

/* Scale and shear first, then rotation, then shift. */
static placement place(source *s)
{
  double height = between(s, 14.5, 21.5) / 100, width = height * between(s, 0.8, 1.15);
  double angle = between(s, -0.26, 0.26), shear = between(s, -0.2, 0.2);
  double cosine = cos(angle), sine = sin(angle);
  placement p = {.xx = cosine * width, .xy = cosine * shear * height - sine * height};
  p.yx = sine * width;
  p.yy = sine * shear * height + cosine * height;
  p.x = DIGITS_SIDE / 2.0 + between(s, -3.5, 3.5);
  p.y = DIGITS_SIDE / 2.0 + between(s, -3.5, 3.5);
  return p;
}

static double distance_to_segment(const double at[2], const double a[2], const double b[2])
{
  double along[2] = {b[0] - a[0], b[1] - a[1]}, from[2] = {at[0] - a[0], at[1] - a[1]};
  double length = along[0] * along[0] + along[1] * along[1];
  double t = length > 0 ? (from[0] * along[0] + from[1] * along[1]) / length : 0;
  t = t < 0 ? 0 : t > 1 ? 1 : t;
  return hypot(from[0] - t * along[0], from[1] - t * along[1]);
}

/* First and past-the-last pixel of an axis that a segment can reach. */
static void reach(double a, double b, double pen, int *begin, int *end)
{
  double low = floor(fmin(a, b) - pen - 1), high = ceil(fmax(a, b) + pen + 1);
  *begin = low < 0 ? 0 : low > DIGITS_SIDE ? DIGITS_SIDE : (int)low;
  *end = high < 0 ? 0 : high > DIGITS_SIDE ? DIGITS_SIDE : (int)high;
}

static void draw_segment(float *pixels, const double a[2], const double b[2], double pen)
{
  int x0, x1, y0, y1;
  reach(a[0], b[0], pen, &x0, &x1);
  reach(a[1], b[1], pen, &y0, &y1);
  for (int y = y0; y < y1; y++)
    for (int x = x0; x < x1; x++) {
      double at[2] = {x + 0.5, y + 0.5}, ink = pen + 0.5 - distance_to_segment(at, a, b);
      float *pixel = &pixels[y * DIGITS_SIDE + x];
      *pixel = fmaxf(*pixel, (float)fmin(fmax(ink, 0), 1));
    }
}

/* Catmull-Rom: the point at t in [0, 1] between p[1] and p[2]. */
static double spline(double p0, double p1, double p2, double p3, double t)
{
  return p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)));
}

static void draw_stroke(float *pixels, const stroke *k, const placement *p, double pen, source *s)
{
  double points[MAX_POINTS][2];
  for (int i = 0; i < k->count; i++) {
    double x = k->points[i][0] + between(s, -4, 4), y = k->points[i][1] + between(s, -4, 4);
    points[i][0] = p->x + p->xx * x + p->xy * y;
    points[i][1] = p->y + p->yx * x + p->yy * y;
  }
  for (int i = 0; i + 1 < k->count; i++) {
    if (k->shape == LINE) {
      draw_segment(pixels, points[i], points[i + 1], pen);
      continue;
    }
    const double *p0 = points[i > 0 ? i - 1 : 0], *p3 = points[i + 2 < k->count ? i + 2 : i + 1];
    double from[2] = {points[i][0], points[i][1]};
    for (int step = 1; step <= CURVE_STEPS; step++) {
      double t = (double)step / CURVE_STEPS, to[2];
      for (int axis = 0; axis < 2; axis++)
        to[axis] = spline(p0[axis], points[i][axis], points[i + 1][axis], p3[axis], t);
      draw_segment(pixels, from, to, pen);
      memcpy(from, to, sizeof from);
    }
  }
}

int32_t digits_draw(uint64_t seed, uint64_t index, float *pixels)
{
  source s = {.seed = seed, .stream = index ^ (uint64_t)'d' << 56};
  int32_t digit = (int32_t)(index % DIGITS_CLASSES);
  int form = (int)between(&s, 0, (double)forms[digit]);
  placement p = place(&s);
  double pen = between(&s, 0.6, 1.5), ink = between(&s, 0.7, 1), noise = between(&s, 0.02, 0.16);
  memset(pixels, 0, DIGITS_PIXELS * sizeof *pixels);
  for (int i = 0; i < STROKES; i++)
    if (strokes[i].digit == digit && strokes[i].form == form) draw_stroke(pixels, &strokes[i], &p, pen, &s);
  uint64_t first = s.next + s.next % 2; /* the normal numbers come in pairs from one block */
  for (int i = 0; i < DIGITS_PIXELS; i++) {
    double value = ink * pixels[i] + noise * cnnblas_random_normal(seed, s.stream, first + (uint64_t)i);
    pixels[i] = (float)fmin(fmax(value, 0), 1);
  }
  return digit;
}

void digits_fill(uint64_t seed, uint64_t first, int64_t count, float *pixels, int32_t *labels)
{
  for (int64_t i = 0; i < count; i++) labels[i] = digits_draw(seed, first + (uint64_t)i, pixels + i * DIGITS_PIXELS);
}
