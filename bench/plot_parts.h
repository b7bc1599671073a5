/*
 * Inside `plot`: a report, the pictures made of it so far, and what every picture needs.
 */
#ifndef BENCH_PLOT_PARTS_H
#define BENCH_PLOT_PARTS_H

#include "reports/gnuplot.h"
#include "reports/output.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum { PLOT_PICTURES = 256, PLOT_NAME = 128, PLOT_SERIES = GNUPLOT_STYLES, PLOT_LAYERS = 256 };

/* A report and the pictures so far. */
typedef struct {
  const json_t *context, *rows;
  const char *directory, *only; /* only: the one picture that is wanted, or NULL */
  char names[PLOT_PICTURES][PLOT_NAME];
  size_t count;
  bool failed; /* a file could not be written; it was said */
} plots;

/* One picture in the making: its files are open. */
typedef struct {
  io_output files[2];  /* the script and its data */
  FILE *script, *data; /* theirs */
  const char *name;
} plot_picture;

/* A row's member; "" or 0 if it has none. plot_layer_of: the layer, or what else a row's bars stand for. */
const char *plot_text_of(const json_t *row, const char *key);
double plot_number_of(const json_t *row, const char *key);
const char *plot_layer_of(const json_t *row);

/* The row's letters, as in the table (marks.h); "" for none. */
const char *plot_mark_of(const json_t *row);

/* Opens NAME.gp and NAME.dat; false if that failed, if there are too many pictures, or if it is not wanted. */
bool plot_begin(plots *p, plot_picture *to, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The head of the script: a title of two lines, the second saying what the figures were measured on, and a third if rows
   of the report are marked. */
void plot_title(const plots *p, plot_picture *it, int width, int height, const char *first);

/* Ends the script with the plot command, and closes both files. */
void plot_end(plots *p, plot_picture *it, int width, int height, const char *command);

/* The place of text among the *count texts, added if new; -1 if there is no room. */
int plot_place(const char **texts, int *count, int most, const char *text);

/* As a gnuplot string, until the next call. */
const char *plot_quoted(const char *text);

#endif
