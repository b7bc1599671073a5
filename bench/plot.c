/* Pictures of a report; see plot.h. A picture is a set and direction, a set, or a swept layer and direction. */
#include "plot.h"
#include "options.h"
#include "plot_bars.h"
#include "plot_parts.h"
#include "plot_project.h"
#include "plot_roofline.h"
#include "plot_sweep.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
    plot_roofline(p, sets[s]);
  }
  for (i = 0; i < json_array_size(p->rows); i++) plot_sweep(p, i);
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
