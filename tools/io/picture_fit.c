/* Pictures brought to another size, one axis after the other; see picture_fit.h. */
#include "io/picture_fit.h"
#include "io/system.h"
#include <math.h>
#include <string.h>

/* Which pixels of a line of `from` make each of the `to` middle ones, with what weights. */
typedef struct {
  int64_t to, taps; /* most pixels of one */
  int64_t *first;   /* [to] */
  float *weights;   /* [to][taps], 0 beyond a pixel's own */
} axis;

static void free_axis(axis *a)
{
  io_free(a->first);
  io_free(a->weights);
}

/* step: pixels of the line to one of the result. */
static bool make_axis(axis *a, int64_t from, int64_t to, double step)
{
  double reach = step > 1 ? step : 1, begin = ((double)from - (double)to * step) / 2;
  *a = (axis){.to = to, .taps = (int64_t)ceil(2 * reach) + 1};
  a->first = io_alloc_zeroed((size_t)to, sizeof *a->first);
  a->weights = io_alloc_zeroed((size_t)(to * a->taps), sizeof *a->weights);
  if (!a->first || !a->weights) return false;
  for (int64_t i = 0; i < to; i++) {
    double centre = begin + ((double)i + 0.5) * step, sum = 0;
    int64_t first = (int64_t)ceil(centre - reach - 0.5), last = (int64_t)floor(centre + reach - 0.5);
    first = first < 0 ? 0 : first > from - 1 ? from - 1 : first;
    last = last < first ? first : last > from - 1 ? from - 1 : last;
    if (last - first >= a->taps) last = first + a->taps - 1;
    for (int64_t j = first; j <= last; j++) sum += fmax(0, reach - fabs((double)j + 0.5 - centre));
    a->first[i] = first;
    for (int64_t j = first; j <= last; j++) {
      double weight = sum > 0 ? fmax(0, reach - fabs((double)j + 0.5 - centre)) / sum : j == first;
      a->weights[i * a->taps + j - first] = (float)weight;
    }
  }
  return true;
}

/* out[i][at] = the weighted mean of lines: pixels lie `along` apart on the axis, and `across` for the others. */
static void scale(const axis *a, int64_t from, const float *in, int64_t in_step, int64_t lines, int64_t in_line,
                  float *out, int64_t out_step)
{
  int64_t out_line = out_step == 1 ? a->to : 1;
  for (int64_t line = 0; line < lines; line++)
    for (int64_t i = 0; i < a->to; i++) {
      float sum = 0;
      for (int64_t tap = 0; tap < a->taps && a->first[i] + tap < from; tap++)
        sum += a->weights[i * a->taps + tap] * in[line * in_line + (a->first[i] + tap) * in_step];
      out[line * out_line + i * out_step] = sum;
    }
}

static io_status fit(const char *name, const picture *in, int64_t h, int64_t w, picture *out, io_error *error)
{
  double step = fmin((double)in->h / (double)h, (double)in->w / (double)w);
  axis rows = {0}, columns = {0};
  float *lines = NULL;
  picture made = {0};
  io_status status = picture_alloc(name, in->c, h, w, &made, error);
  bool room = !status && make_axis(&rows, in->h, h, step) && make_axis(&columns, in->w, w, step) &&
              (lines = io_alloc_zeroed((size_t)(in->h * w), sizeof *lines));
  if (!status && !room) status = io_fail_memory(error, name, (size_t)(in->h * w) * sizeof *lines, "its scaling");
  for (int64_t c = 0; c < in->c && !status; c++) {
    float *to = made.pixels + c * h * w;
    scale(&columns, in->w, in->pixels + c * in->h * in->w, 1, in->h, in->w, lines, 1);
    scale(&rows, in->h, lines, w, w, 1, to, w);
    for (int64_t i = 0; i < h * w; i++) to[i] = (float)lrintf(fminf(fmaxf(to[i], 0), 1) * 255) / 255.0F;
  }
  free_axis(&rows);
  free_axis(&columns);
  io_free(lines);
  if (status)
    picture_free(&made);
  else
    *out = made;
  return status;
}

io_status picture_fit(const char *name, const picture *in, int64_t h, int64_t w, picture *out, io_error *error)
{
  picture made = {0};
  if (in->h == h && in->w == w) {
    if (in == out) return IO_OK;
    io_status status = picture_alloc(name, in->c, h, w, out, error);
    if (!status) memcpy(out->pixels, in->pixels, (size_t)(in->c * h * w) * sizeof *in->pixels);
    return status;
  }
  io_status status = fit(name, in, h, w, &made, error);
  if (status) return status;
  if (in == out) picture_free(out);
  *out = made;
  return IO_OK;
}
