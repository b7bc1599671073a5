/* What the pictures of a report share; see plot_parts.h. */
#include "plot_parts.h"
#include "marks.h"
#include <errno.h>
#include <stdarg.h>
#include <string.h>

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
