/* A set under the roof of the machine; see plot_roofline.h. */
#include "plot_roofline.h"
#include <cnnblas/conv.h>
#include <math.h>
#include <string.h>

void plot_roofline(plots *p, const char *set)
{
  double fma = plot_number_of(p->context, "fma_peak_gflops"), low = INFINITY, high = 0, least = INFINITY;
  double memory = plot_number_of(p->context, "memory_peak_gbytes_per_second");
  enum { WIDTH = 800, HEIGHT = 560 };
  plot_picture it;
  size_t i;
  json_t *row;
  char first[256], plot[2048];
  bool any[3] = {false, false, false};
  if (!(fma > 0) || !(memory > 0)) return;
  json_array_foreach(p->rows, i, row)
  {
    if (strcmp(plot_text_of(row, "set"), set) != 0 || strcmp(plot_text_of(row, "algorithm"), "auto") != 0) continue;
    double x = plot_number_of(row, "flops") / plot_number_of(row, "bytes"), y = plot_number_of(row, "gflops");
    if (!(x > 0) || !(y > 0)) continue;
    low = fmin(low, x), high = fmax(high, x), least = fmin(least, y);
    for (int d = 0; d < 3; d++)
      any[d] |= strcmp(plot_text_of(row, "direction"), cnnblas_conv_direction_name((cnnblas_conv_direction)d)) == 0;
  }
  if (!(high > 0) || !plot_begin(p, &it, "roofline_%s", set)) return;
  for (int d = 0; d < 3; d++) {
    fprintf(it.data, "# %s: FLOP/byte, GFLOP/s, layer\n", cnnblas_conv_direction_name((cnnblas_conv_direction)d));
    json_array_foreach(p->rows, i, row) if (!strcmp(plot_text_of(row, "set"), set) &&
                                            !strcmp(plot_text_of(row, "algorithm"), "auto") &&
                                            !strcmp(plot_text_of(row, "direction"),
                                                    cnnblas_conv_direction_name((cnnblas_conv_direction)d)))
        fprintf(it.data, "%.6g %.6g \"%s\"\n", plot_number_of(row, "flops") / plot_number_of(row, "bytes"),
                plot_number_of(row, "gflops"), plot_layer_of(row));
    fputs("\n\n", it.data);
  }
  snprintf(first, sizeof first, "%s, roofline: each mark is a layer", set);
  plot_title(p, &it, WIDTH, HEIGHT, first);
  fprintf(
      it.script,
      "set logscale xy 2\nset xrange [%.6g:%.6g]\nset yrange [%.6g:%.6g]\nset xlabel \"FLOP per byte of the "
      "arrays, each "
      "counted once\"\nset ylabel \"GFLOP/s\"\nset bmargin 8\nset key bottom center outside maxcols 2 Left reverse\n",
      low / 1.6, high * 1.6, fmin(least, memory * low) / 2, fma * 2);
  size_t used = (size_t)snprintf(plot, sizeof plot,
                                 "plot (x * %.6g < %.6g ? x * %.6g : %.6g) with lines lw 3 lc rgb \"#202020\" title "
                                 "\"measured peaks: %.0f GFLOP/s, %.0f GB/s\"",
                                 memory, fma, memory, fma, fma, memory);
  for (int d = 0; d < 3; d++)
    if (any[d])
      used += (size_t)snprintf(plot + used, sizeof plot - used,
                               ", \"%s.dat\" index %d using 1:2 with points ls %d title \"%s\"", it.name, d,
                               d == 0   ? 1
                               : d == 1 ? 2
                                        : 4,
                               cnnblas_conv_direction_name((cnnblas_conv_direction)d));
  plot_end(p, &it, WIDTH, HEIGHT, plot);
}
