/* Sweeps: GFLOP/s against the swept value; see plot_sweep.h. */
#include "plot_sweep.h"
#include <string.h>

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

void plot_sweep(plots *p, size_t index)
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
