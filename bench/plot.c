/* Pictures of a report; see plot.h. A picture is a set and direction, a set, or a swept layer and direction. */
#include "plot.h"
#include "marks.h"
#include "options.h"
#include "plot_parts.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *plot_text_of(const json_t *row, const char *key)
{
  const char *text = json_string_value(json_object_get(row, key));
  return text ? text : "";
}

double plot_number_of(const json_t *row, const char *key)
{
  return json_number_value(json_object_get(row, key));
}

const char *plot_layer_of(const json_t *row)
{
  const char *layer = plot_text_of(row, "layer");
  return *layer ? layer : *plot_text_of(row, "problem") ? plot_text_of(row, "problem") : plot_text_of(row, "name");
}

const char *plot_mark_of(const json_t *row)
{
  const char *name = plot_text_of(row, "load");
  bench_load load = {.verdict = BENCH_LOAD_UNKNOWN};
  for (int v = BENCH_LOAD_UNKNOWN; v <= BENCH_LOAD_BUSY; v++)
    if (strcmp(name, bench_load_name((bench_load_verdict)v)) == 0) load.verdict = (bench_load_verdict)v;
  return bench_mark(&load, json_is_true(json_object_get(row, "peaks_moved")));
}

const char *plot_quoted(const char *text)
{
  static char string[128];
  gnuplot_quote(string, sizeof string, text);
  return string;
}

static bool open_file(plots *p, io_output *output, const char *name, const char *end)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/%s%s", p->directory, name, end);
  if (io_output_open(output, path) == 0) return true;
  fprintf(stderr, "cnnblas-bench: %s: %s\n", path, strerror(errno));
  p->failed = true;
  return false;
}

bool plot_begin(plots *p, plot_picture *to, const char *format, ...)
{
  va_list arguments;
  if (p->count == PLOT_PICTURES) {
    fprintf(stderr, "cnnblas-bench: more than %d pictures; the others are left out\n", PLOT_PICTURES);
    p->failed = true;
    return false;
  }
  char *name = p->names[p->count];
  va_start(arguments, format);
  vsnprintf(name, PLOT_NAME, format, arguments);
  va_end(arguments);
  for (char *c = name; *c; c++)
    if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *c)) *c = '_';
  if (p->only && strcmp(p->only, name) != 0) return false;
  to->name = name;
  if (!open_file(p, &to->files[0], name, ".gp")) return false;
  if (!open_file(p, &to->files[1], name, ".dat")) {
    io_output_close(&to->files[0]);
    return false;
  }
  to->script = to->files[0].file;
  to->data = to->files[1].file;
  return true;
}

void plot_end(plots *p, plot_picture *it, int width, int height, const char *command)
{
  gnuplot_draw(it->script, it->name, width, height, command);
  bool bad = io_output_close(&it->files[0]) != 0;
  bad |= io_output_close(&it->files[1]) != 0;
  if (bad) {
    fprintf(stderr, "cnnblas-bench: %s/%s: %s\n", p->directory, it->name, strerror(errno));
    p->failed = true;
  }
  p->count++;
}

/* What the figures were measured on: the second line of a title. */
static void subtitle(const plots *p, char *to, size_t size, const char *first)
{
  int threads = (int)plot_number_of(p->context, "threads");
  snprintf(to, size, "%s\n%s, %d thread%s, %s, %.10s", first, plot_text_of(p->context, "cpu"), threads,
           threads == 1 ? "" : "s", plot_text_of(p->context, "dtype"), plot_text_of(p->context, "date"));
}

/* Titles have two lines: gnuplot_text drops control characters, so they are written apart. */
void plot_title(const plots *p, plot_picture *it, int width, int height, const char *first)
{
  char text[512], *second;
  subtitle(p, text, sizeof text, first);
  second = strchr(text, '\n');
  *second++ = 0;
  gnuplot_head(it->script, width, height, NULL);
  fputs("set title ", it->script);
  gnuplot_text(it->script, text);
  fputs(".\"\\n\".", it->script);
  gnuplot_text(it->script, second);
  size_t i, marked = 0;
  const json_t *row;
  json_array_foreach(p->rows, i, row) marked += plot_mark_of(row)[0] != 0;
  if (marked)
    fprintf(it->script, ".\"\\n%zu of %zu rows marked: b others took time, p peaks moved, ? not known\"", marked,
            json_array_size(p->rows));
  fputs(" noenhanced\n", it->script);
}

int plot_place(const char **texts, int *count, int most, const char *text)
{
  for (int i = 0; i < *count; i++)
    if (strcmp(texts[i], text) == 0) return i;
  if (*count == most) return -1;
  texts[*count] = text;
  return (*count)++;
}

static const char *const directions[] = {"forward", "backward_data", "backward_weights"};

/* Our rows of a set under the machine's roof, a mark a direction. */
static void roofline(plots *p, const char *set)
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
    for (int d = 0; d < 3; d++) any[d] |= strcmp(plot_text_of(row, "direction"), directions[d]) == 0;
  }
  if (!(high > 0) || !plot_begin(p, &it, "roofline_%s", set)) return;
  for (int d = 0; d < 3; d++) {
    fprintf(it.data, "# %s: FLOP/byte, GFLOP/s, layer\n", directions[d]);
    json_array_foreach(p->rows, i, row) if (!strcmp(plot_text_of(row, "set"), set) &&
                                            !strcmp(plot_text_of(row, "algorithm"), "auto") &&
                                            !strcmp(plot_text_of(row, "direction"), directions[d]))
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
                               directions[d]);
  plot_end(p, &it, WIDTH, HEIGHT, plot);
}

/* "conv1@batch=4": "conv1", and where the variable begins; NULL if the row is of no sweep. */
static const char *swept(const json_t *row, size_t *layer)
{
  const char *name = plot_layer_of(row), *at = strrchr(name, '@');
  if (!at || !json_object_get(row, "sweep_value")) return NULL;
  *layer = (size_t)(at - name);
  return at + 1;
}

static bool same_sweep(const json_t *a, const json_t *b)
{
  size_t m, n;
  return swept(a, &m) && swept(b, &n) && m == n && strncmp(plot_layer_of(a), plot_layer_of(b), m) == 0 &&
         strcmp(plot_text_of(a, "set"), plot_text_of(b, "set")) == 0 &&
         strcmp(plot_text_of(a, "direction"), plot_text_of(b, "direction")) == 0;
}

/* How GFLOP/s change with the swept value, a line an algorithm. */
static void scaling(plots *p, size_t index)
{
  enum { WIDTH = 800, HEIGHT = 560 };
  const json_t *model = json_array_get(p->rows, index);
  const char *series[PLOT_SERIES];
  int count = 0;
  size_t layer, i;
  const char *variable = swept(model, &layer);
  json_t *row;
  plot_picture it;
  char first[256], plot[4096] = "plot ";
  if (!variable) return;
  for (i = 0; i < index; i++)
    if (same_sweep(model, json_array_get(p->rows, i))) return;
  int length = (int)strspn(variable, "abcdefghijklmnopqrstuvwxyz");
  if (!plot_begin(p, &it, "scaling_%.*s_%.*s_%s", length, variable, (int)layer, plot_layer_of(model),
                  plot_text_of(model, "direction")))
    return;
  json_array_foreach(p->rows, i, row) if (same_sweep(model, row))
      plot_place(series, &count, PLOT_SERIES, plot_text_of(row, "algorithm"));
  size_t used = strlen(plot);
  for (int s = 0; s < count; s++) {
    fprintf(it.data, "# %s: %.*s, GFLOP/s\n", series[s], length, variable);
    json_array_foreach(p->rows, i,
                       row) if (same_sweep(model, row) && !strcmp(plot_text_of(row, "algorithm"), series[s]))
        fprintf(it.data, "%.6g %.6g\n", plot_number_of(row, "sweep_value"), plot_number_of(row, "gflops"));
    fputs("\n\n", it.data);
    used += (size_t)snprintf(plot + used, sizeof plot - used,
                             "%s\"%s.dat\" index %d using 1:2 with linespoints ls %d title %s", s ? ", " : "", it.name,
                             s, s + 1, plot_quoted(series[s]));
  }
  snprintf(first, sizeof first, "%.*s %s", (int)layer, plot_layer_of(model), plot_text_of(model, "direction"));
  plot_title(p, &it, WIDTH, HEIGHT, first);
  static const char *const units[][2] = {
      {"batch", "images"}, {"channels", "channels"}, {"size", "pixels an axis"}, {"threads", "threads"}};
  const char *unit = "";
  for (i = 0; i < 4; i++)
    if (strncmp(units[i][0], variable, (size_t)length) == 0) unit = units[i][1];
  fprintf(it.script,
          "set logscale xy 2\nset xlabel \"%.*s (%s)\"\nset ylabel \"GFLOP/s\"\nset offsets graph 0.05, graph 0.05, "
          "graph 0.05, graph 0.05\n"
          "set key outside right top Left reverse\n",
          length, variable, unit);
  plot_end(p, &it, WIDTH, HEIGHT, plot);
}

/* Whether no row before this one has its set and direction. */
static bool first_of_its_kind(const plots *p, size_t row)
{
  const json_t *it = json_array_get(p->rows, row);
  for (size_t i = 0; i < row; i++) {
    const json_t *other = json_array_get(p->rows, i);
    if (strcmp(plot_text_of(it, "direction"), plot_text_of(other, "direction")) == 0 &&
        strcmp(plot_text_of(it, "set"), plot_text_of(other, "set")) == 0)
      return false;
  }
  return true;
}

static void all_pictures(plots *p)
{
  size_t i;
  json_t *row;
  const char *sets[PLOT_LAYERS] = {0};
  int set_count = 0;
  bool projected = json_is_true(json_object_get(p->context, "projected"));
  json_array_foreach(p->rows, i, row)
  {
    const char *set = plot_text_of(row, "set");
    if (plot_place(sets, &set_count, PLOT_LAYERS, set) >= 0 && !projected && first_of_its_kind(p, i))
      plot_bars(p, set, plot_text_of(row, "direction"));
  }
  for (int s = 0; s < set_count && projected; s++) plot_projection(p, sets[s]);
  if (projected) return;
  for (int s = 0; s < set_count; s++) {
    plot_means(p, sets[s]);
    roofline(p, sets[s]);
  }
  for (i = 0; i < json_array_size(p->rows); i++) scaling(p, i);
}

static int draw(plots *p)
{
  const char *names[PLOT_PICTURES];
  for (size_t i = 0; i < p->count; i++) names[i] = p->names[i];
  gnuplot_status status = gnuplot_run(p->directory, names, p->count);
  if (status == GNUPLOT_FAILED) {
    fprintf(stderr, "cnnblas-bench: gnuplot failed on a script in %s\n", p->directory);
    return BENCH_NO_MEMORY;
  }
  if (status == GNUPLOT_ABSENT)
    printf("gnuplot is not installed: %s has the data (*.dat) and scripts (*.gp) of %zu pictures; with gnuplot, run "
           "`gnuplot *.gp` there\n",
           p->directory, p->count);
  else
    printf("%zu pictures, each SVG and PNG, in %s\n", p->count, p->directory);
  return BENCH_OK;
}

int bench_plot_prepare(const char *directory, const char **json)
{
  static char path[4096];
  if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
    fprintf(stderr, "cnnblas-bench: %s: %s\n", directory, strerror(errno));
    return BENCH_NO_MEMORY;
  }
  snprintf(path, sizeof path, "%s/results.json", directory);
  if (!*json) *json = path;
  return BENCH_OK;
}

int bench_plot(const char *json_path, const char *directory, const char *only)
{
  json_error_t error;
  json_t *root = json_load_file(json_path, 0, &error);
  plots *p = calloc(1, sizeof *p);
  int status = BENCH_OK;
  if (!p) status = BENCH_NO_MEMORY;
  if (status == BENCH_OK && (!root || !json_is_array(json_object_get(root, "benchmarks")))) {
    fprintf(stderr, "cnnblas-bench: %s: %s\n", json_path,
            root ? "no benchmark report: benchmarks is missing" : error.text);
    status = BENCH_BAD_INPUT;
  }
  if (status == BENCH_OK) status = bench_plot_prepare(directory, &json_path);
  if (status == BENCH_OK) {
    p->context = json_object_get(root, "context");
    p->rows = json_object_get(root, "benchmarks");
    p->directory = directory;
    p->only = only;
    all_pictures(p);
    if (only && !p->count && !p->failed) {
      fprintf(stderr, "cnnblas-bench: %s gives no picture named %s\n", json_path, only);
      status = BENCH_BAD_INPUT;
    } else {
      status = p->failed ? BENCH_NO_MEMORY : draw(p);
    }
  }
  json_decref(root);
  free(p);
  return status;
}

int bench_plot_main(int argc, char **argv)
{
  bool named = argc == 3 || argc == 4;
  for (int i = 1; i < argc; i++) named &= argv[i][0] != '-';
  if (named) return bench_plot(argv[1], argv[2], argc == 4 ? argv[3] : NULL);
  bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
  fputs("usage: cnnblas-bench plot FILE.json DIR [PICTURE]\n"
        "Means, bars, rooflines, sweeps and projections of each set: SVG and PNG through gnuplot.\n"
        "PICTURE: only that one, for example means_resnet50.\n"
        "example: cnnblas-bench --set alexnet --json run.json && cnnblas-bench plot run.json pictures\n",
        help ? stdout : stderr);
  return help ? BENCH_OK : BENCH_USAGE;
}
