/* Bars of a report; see plot_bars.h. They lie, so that any number of names of any length has room. */
#include "plot_bars.h"
#include <math.h>
#include <string.h>

enum { BAR = 15, TEXT = 8 /* pixels: of a bar's height, of a letter's width */ };

/* A table of bars: a block a label, a bar a series; NAN where there is none. */
typedef struct {
  const char *labels[PLOT_LAYERS], *series[PLOT_SERIES];
  int label_count, series_count;
  double values[PLOT_LAYERS][PLOT_SERIES];
  const char *marks[PLOT_LAYERS][PLOT_SERIES];
  const char *axis;
} table;

/* The length of a bar: GFLOP/s, or for the set `layers`, whose rows have a yardstick, how often its time. */
static double value_of(const json_t *row)
{
  return json_object_get(row, "times_yardstick") ? plot_number_of(row, "times_yardstick")
                                                 : plot_number_of(row, "gflops");
}

static int width_of(const char *const *texts, int count)
{
  size_t most = 0;
  for (int i = 0; i < count; i++) most = strlen(texts[i]) > most ? strlen(texts[i]) : most;
  return (int)most;
}

static double write_data(FILE *file, const table *t)
{
  double most = 0;
  for (int s = 0; s < t->series_count; s++) {
    fprintf(file, "# %s: value, y, from, to, y from, y to, value and marks\n", t->series[s]);
    for (int l = 0; l < t->label_count; l++) {
      double value = t->values[l][s], y = l * (t->series_count + 1) + s;
      if (!(value >= 0)) continue;
      fprintf(file, "%.6g %g 0 %.6g %g %g \"%.3g %s\"\n", value, y, value, y - 0.45, y + 0.45, value, t->marks[l][s]);
      most = fmax(most, value);
    }
    fputs("\n\n", file);
  }
  return most;
}

/* Names beside the blocks. */
static void write_labels(FILE *script, const table *t)
{
  fputs("set ytics scale 0 (", script);
  for (int l = 0; l < t->label_count; l++) {
    if (l) fputs(", ", script);
    gnuplot_text(script, t->labels[l]);
    fprintf(script, " %g", l * (t->series_count + 1) + (t->series_count - 1) / 2.0);
  }
  fputs(t->series_count > 1 ? ")\n" : ")\nunset key\n", script);
}

static void draw(plots *p, plot_picture *it, const table *t, const char *title)
{
  static const int patterns[PLOT_SERIES] = {3, 1, 2, 4, 5, 6, 7, 0};
  int names = TEXT * width_of(t->labels, t->label_count) + 30, width = names + 700;
  int head = t->series_count > 1 ? 60 + 18 * t->series_count : 60;
  int height = head + 80 + BAR * t->label_count * (t->series_count + 1);
  double most = write_data(it->data, t);
  char command[4096] = "plot ";
  plot_title(p, it, width, height, title);
  fprintf(it->script, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n", (double)names / width,
          1 - 20.0 / width);
  fprintf(it->script, "set tmargin at screen %.4f\nset bmargin at screen %.4f\n", 1 - (double)head / height,
          75.0 / height);
  fprintf(it->script, "set xlabel \"%s\"\nset xrange [0:%.6g]\nset yrange [%d:-1]\n", t->axis, most * 1.12,
          t->label_count * (t->series_count + 1));
  fprintf(it->script,
          "set key at screen 0.5,%.4f center top vertical maxcols 1 Left reverse samplen 3\nunset grid\nset grid x\n",
          1 - 8.0 / height);
  write_labels(it->script, t);
  size_t used = strlen(command);
  for (int s = 0; s < t->series_count; s++)
    used += (size_t)snprintf(command + used, sizeof command - used,
                             "%s\"%s.dat\" index %d using 1:2:3:4:5:6 with boxxyerror ls %d dt 1 lw 1 fs pattern %d "
                             "border lc rgb \"#202020\" title %s",
                             s ? ", " : "", it->name, s, s + 1, patterns[s], plot_quoted(t->series[s]));
  snprintf(command + used, sizeof command - used,
           ", \"%s.dat\" using 1:2:7 with labels left offset 0.4,0 font \",8\" notitle", it->name);
  plot_end(p, it, width, height, command);
}

static void clear(table *t)
{
  memset(t, 0, sizeof *t);
  for (int l = 0; l < PLOT_LAYERS; l++)
    for (int s = 0; s < PLOT_SERIES; s++) t->values[l][s] = NAN, t->marks[l][s] = "";
  t->axis = "GFLOP/s (more is better)";
}

/* Rows of the set that are of no sweep. */
static bool belongs(const json_t *row, const char *set)
{
  return strcmp(plot_text_of(row, "set"), set) == 0 && !json_object_get(row, "sweep_value");
}

/* What a bar is of: the library where it chose by itself, else an algorithm or a peer by name. */
static const char *series_of(const json_t *row)
{
  const char *algorithm = plot_text_of(row, "algorithm");
  return strcmp(algorithm, "auto") == 0 ? "cnnblas" : algorithm;
}

void plot_bars(plots *p, const char *set, const char *direction)
{
  static table t;
  size_t i;
  json_t *row;
  char title[256];
  plot_picture it;
  clear(&t);
  json_array_foreach(p->rows, i, row)
  {
    if (!belongs(row, set) || strcmp(plot_text_of(row, "direction"), direction) != 0) continue;
    int s = plot_place(t.series, &t.series_count, PLOT_SERIES, series_of(row));
    int l = plot_place(t.labels, &t.label_count, PLOT_LAYERS, plot_layer_of(row));
    if (s < 0 || l < 0) continue;
    t.values[l][s] = value_of(row);
    t.marks[l][s] = plot_mark_of(row);
    if (json_object_get(row, "times_yardstick"))
      t.axis = "time over that of a copy of the arrays, or of the matrix product alone (less is better)";
  }
  if (!t.label_count || !plot_begin(p, &it, "bars_%s%s%s", set, *direction ? "_" : "", direction)) return;
  snprintf(title, sizeof title, "%s %s", set, direction);
  draw(p, &it, &t, title);
}

void plot_means(plots *p, const char *set)
{
  static table t;
  static int layers[PLOT_LAYERS][PLOT_SERIES];
  size_t i;
  json_t *row;
  char title[256];
  plot_picture it;
  clear(&t);
  memset(layers, 0, sizeof layers);
  t.axis = "GFLOP/s, geometric mean over the layers (more is better)";
  json_array_foreach(p->rows, i, row)
  {
    double value = plot_number_of(row, "gflops");
    if (!belongs(row, set) || json_object_get(row, "times_yardstick") || !*plot_text_of(row, "direction") ||
        !(value > 0))
      continue;
    int s = plot_place(t.series, &t.series_count, PLOT_SERIES, series_of(row));
    int l = plot_place(t.labels, &t.label_count, PLOT_LAYERS, plot_text_of(row, "direction"));
    if (s < 0 || l < 0) continue;
    if (!t.marks[l][s][0]) t.marks[l][s] = plot_mark_of(row); /* of any of them */
    t.values[l][s] = layers[l][s]++ ? t.values[l][s] + log(value) : log(value);
  }
  int most = 0;
  for (int l = 0; l < t.label_count; l++)
    for (int s = 0; s < t.series_count; s++) {
      if (layers[l][s]) t.values[l][s] = exp(t.values[l][s] / layers[l][s]);
      if (layers[l][s] > most) most = layers[l][s];
    }
  if (most < 2 || !plot_begin(p, &it, "means_%s", set)) return;
  snprintf(title, sizeof title, "%s: %d layers, batch %.0f", set, most,
           plot_number_of(json_array_get(p->rows, 0), "batch"));
  draw(p, &it, &t, title);
}
