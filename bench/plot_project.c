/* Pictures of projections: speed-up against threads; see plot_project.h. */
#include "plot_project.h"
#include "makespan.h"
#include "options.h"
#include <string.h>

/* A direction and algorithm of the set, by its first row; one point a number of threads, in the report's order. */
typedef struct {
  const json_t *head;
  int threads[BENCH_MOST_PROJECTED];
  bench_mean mean[BENCH_MOST_PROJECTED], capped[BENCH_MOST_PROJECTED];
  int count;
} series;

static bool same_series(const json_t *a, const json_t *b)
{
  return strcmp(plot_text_of(a, "direction"), plot_text_of(b, "direction")) == 0 &&
         strcmp(plot_text_of(a, "algorithm"), plot_text_of(b, "algorithm")) == 0;
}

static void add_point(series *s, const json_t *row)
{
  int threads = (int)plot_number_of(row, "threads"), at = 0;
  double speedup = plot_number_of(row, "speedup"), capped = plot_number_of(row, "capped_speedup");
  while (at < s->count && s->threads[at] != threads) at++;
  if (at == BENCH_MOST_PROJECTED || !(speedup > 0) || !(capped > 0)) return;
  if (at == s->count) s->threads[s->count++] = threads;
  bench_mean_add(&s->mean[at], speedup);
  bench_mean_add(&s->capped[at], capped);
}

/* Fills list with the set's series; their number. Further ones than PLOT_SERIES are left out. */
static int collect(const plots *p, const char *set, series *list)
{
  int count = 0;
  size_t i;
  json_t *row;
  json_array_foreach(p->rows, i, row)
  {
    int at = 0;
    if (strcmp(plot_text_of(row, "set"), set) != 0) continue;
    while (at < count && !same_series(list[at].head, row)) at++;
    if (at == PLOT_SERIES) continue;
    if (at == count) list[count++] = (series){.head = row};
    add_point(&list[at], row);
  }
  return count;
}

/* Each a block of the data: threads, mean, mean of the capped, least layer. Returns the greatest number of threads. */
static int write_data(FILE *file, const series *list, int count)
{
  int most = 1;
  for (int s = 0; s < count; s++) {
    fprintf(file, "# %s %s: threads, geometric mean of the speed-ups, the same capped, least layer\n",
            plot_text_of(list[s].head, "direction"), plot_text_of(list[s].head, "algorithm"));
    for (int i = 0; i < list[s].count; i++) {
      fprintf(file, "%d %.6g %.6g %.6g\n", list[s].threads[i], bench_mean_of(&list[s].mean[i]),
              bench_mean_of(&list[s].capped[i]), list[s].mean[i].least);
      if (list[s].threads[i] > most) most = list[s].threads[i];
    }
    fputs("\n\n", file);
  }
  return most;
}

static void write_axes(FILE *script, const series *first, int most, double barrier_us)
{
  fputs("set logscale xy 2\nset xtics (", script);
  for (int i = 0; i < first->count; i++) fprintf(script, "%s%d", i ? ", " : "", first->threads[i]);
  fprintf(script,
          ")\nset xrange [1:%g]\nset yrange [0.9:%g]\nset xlabel \"threads T (projected: tasks timed one by one on one "
          "thread, barrier %g us)\"\nset ylabel \"projected speed-up over one thread\"\n"
          "set key left top Left reverse\n",
          1.1 * most, 1.1 * most, barrier_us);
}

void plot_projection(plots *p, const char *set)
{
  enum { WIDTH = 800, HEIGHT = 560 };
  static series list[PLOT_SERIES];
  char command[8192], text[256];
  plot_picture it;
  int count = collect(p, set, list);
  if (!count || list[0].count < 2 || !plot_begin(p, &it, "projected_%s", set)) return;
  size_t used =
      (size_t)snprintf(command, sizeof command, "plot x with lines lc rgb \"#a0a0a0\" lw 1 title \"T times\"");
  for (int s = 0; s < count; s++) {
    snprintf(text, sizeof text, "%s %s", plot_text_of(list[s].head, "direction"),
             plot_text_of(list[s].head, "algorithm"));
    used += (size_t)snprintf(command + used, sizeof command - used,
                             ", \"%s.dat\" index %d using 1:2 with linespoints ls %d dt 1 title %s"
                             ", \"\" index %d using 1:3 with lines ls %d dt 2 lw 1 notitle"
                             ", \"\" index %d using 1:4 with lines ls %d dt 3 lw 1 notitle",
                             it.name, s, s + 1, plot_quoted(text), s, s + 1, s, s + 1);
  }
  snprintf(command + used, sizeof command - used,
           ", NaN with lines lc rgb \"#404040\" dt 2 lw 1 title \"dashed: capped by memory\""
           ", NaN with lines lc rgb \"#404040\" dt 3 lw 1 title \"dotted: the least layer\"");
  snprintf(text, sizeof text, "%s, batch %.0f: PROJECTED speed-up, geometric mean of %zu layers", set,
           plot_number_of(list[0].head, "batch"), list[0].mean[0].count);
  plot_title(p, &it, WIDTH, HEIGHT, text);
  write_axes(it.script, &list[0], write_data(it.data, list, count), plot_number_of(p->context, "barrier_us"));
  plot_end(p, &it, WIDTH, HEIGHT, command);
}
