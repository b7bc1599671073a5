/* Drawn digits: polylines, wobbled and turned, drawn by each pixel's distance from the pen's path. */
#include "data/digits.h"
#include <cnnblas/layers.h>
#include <math.h>
#include <stddef.h>

enum { CORNERS = 16 };

const digits_style digits_default = {
    .shift = 0.12, .scale = 0.2, .rotation = 0.26, .slant = 0.2, .wobble = 0.03, .noise = 0.1};

typedef struct {
  double x, y;
} point;

/* A digit's strokes in a box of 1 x 1, y downwards. A corner with x < 0 lifts the pen. */
#define UP                                                                                                             \
  {                                                                                                                    \
    -1, 0                                                                                                              \
  }
static const point glyphs[DIGITS_CLASSES][CORNERS] = {
    {{.5, .04}, {.72, .14}, {.8, .5}, {.72, .86}, {.5, .96}, {.28, .86}, {.2, .5}, {.28, .14}, {.5, .04}, UP},
    {{.3, .25}, {.55, .05}, {.55, .95}, UP},
    {{.22, .26}, {.34, .09}, {.55, .05}, {.75, .15}, {.76, .36}, {.56, .6}, {.2, .95}, {.82, .95}, UP},
    {{.22, .12},
     {.46, .05},
     {.7, .12},
     {.73, .3},
     {.6, .45},
     {.42, .48},
     {.62, .52},
     {.78, .67},
     {.74, .86},
     {.5, .96},
     {.2, .87},
     UP},
    {{.64, .95}, {.64, .05}, {.16, .66}, {.86, .66}, UP},
    {{.76, .05}, {.3, .05}, {.26, .45}, {.5, .38}, {.74, .5}, {.77, .72}, {.62, .92}, {.4, .96}, {.2, .86}, UP},
    {{.68, .05},
     {.42, .2},
     {.26, .5},
     {.26, .75},
     {.42, .95},
     {.62, .93},
     {.76, .75},
     {.7, .55},
     {.5, .47},
     {.28, .6},
     UP},
    {{.18, .05}, {.82, .05}, {.42, .95}, UP},
    {{.5, .48},
     {.3, .36},
     {.3, .14},
     {.5, .04},
     {.7, .14},
     {.7, .36},
     {.5, .48},
     {.24, .64},
     {.24, .85},
     {.5, .96},
     {.76, .85},
     {.76, .64},
     {.5, .48},
     UP},
    {{.32, .95},
     {.58, .8},
     {.74, .5},
     {.74, .25},
     {.58, .05},
     {.38, .07},
     {.24, .25},
     {.3, .45},
     {.5, .53},
     {.72, .4},
     UP},
};

/* The random numbers of one image: a stream of its own. */
typedef struct {
  uint64_t seed, stream, index;
} numbers;

static double either_way(numbers *r, double most)
{
  return most * (2 * cnnblas_random_uniform(r->seed, r->stream, r->index++) - 1);
}

/* The glyph's corners in pixels. Returns how many there are. */
static int place_corners(numbers *r, const digits_style *s, int32_t digit, double size, point *out)
{
  double height = size * 2 / 3 * (1 + either_way(r, s->scale)), angle = either_way(r, s->rotation);
  double slant = either_way(r, s->slant), x0 = size * (0.5 + either_way(r, s->shift));
  double y0 = size * (0.5 + either_way(r, s->shift));
  int count = 0;
  for (const point *p = glyphs[digit]; p->x >= 0; p++, count++) {
    double y = p->y - 0.5 + either_way(r, s->wobble), x = (p->x - 0.5) * 0.8 + either_way(r, s->wobble) - slant * y;
    out[count].x = x0 + height * (x * cos(angle) - y * sin(angle));
    out[count].y = y0 + height * (x * sin(angle) + y * cos(angle));
  }
  return count;
}

/* Square of the distance from (x, y) to the segment a..b. */
static double distance2(double x, double y, point a, point b)
{
  double dx = b.x - a.x, dy = b.y - a.y, along = (x - a.x) * dx + (y - a.y) * dy, length2 = dx * dx + dy * dy;
  double t = length2 > 0 ? along / length2 : 0;
  t = t < 0 ? 0 : t > 1 ? 1 : t;
  dx = x - a.x - t * dx;
  dy = y - a.y - t * dy;
  return dx * dx + dy * dy;
}

static void draw(numbers *r, const digits_style *s, int32_t digit, int64_t size, float *image)
{
  point corners[CORNERS];
  int count = place_corners(r, s, digit, (double)size, corners);
  double pen = (double)size / 28 * (1.2 + either_way(r, 0.4)); /* half the stroke's width, pixels */
  r->index = 64;                                               /* the noise begins at a fixed number */
  for (int64_t i = 0; i < size * size; i++) {
    double nearest = 1e300, x = (double)(i % size) + 0.5, y = (double)(i / size) + 0.5;
    for (int c = 0; c + 1 < count; c++) nearest = fmin(nearest, distance2(x, y, corners[c], corners[c + 1]));
    double ink = pen + 0.5 - sqrt(nearest); /* one pixel from full to none */
    ink = ink < 0 ? 0 : ink > 1 ? 1 : ink;
    ink += s->noise * cnnblas_random_normal(r->seed, r->stream, r->index++);
    image[i] = (float)(ink < 0 ? 0 : ink > 1 ? 1 : ink);
  }
}

void digits_draw(uint64_t seed, int64_t first, int64_t count, const digits_style *style, int64_t size, float *images,
                 int32_t *labels)
{
  for (int64_t i = 0; i < count; i++) {
    numbers r = {seed, (uint64_t)(first + i), 0};
    labels[i] = (int32_t)(DIGITS_CLASSES * cnnblas_random_uniform(seed, r.stream, r.index++));
    draw(&r, style ? style : &digits_default, labels[i], size, images + i * size * size);
  }
}
