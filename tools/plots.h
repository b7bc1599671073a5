/*
 * Pictures of the command: curves of a run, a confusion table, and grids of small pictures, through the program gnuplot.
 *
 * Each function draws into path, SVG or PNG by its ending. Without gnuplot it leaves the script PATH.gp, whose data is in
 * it, and says so on standard output. They return an exit status; what went wrong was printed.
 */
#ifndef TOOLS_PLOTS_H
#define TOOLS_PLOTS_H

#include "train_settings.h"

/* Before any work: that path ends in .svg or .png (else a usage error that names the option), and can be written. */
int plots_check(const char *option, const char *path);

/* Loss and accuracy of each epoch that is done, on training and on other images; tested: what those are. */
int plots_curves(const char *path, const char *tested, const train_state *state);

/* table[label][prediction], counts; each cell is shaded by its share of its label. */
int plots_confusion(const char *path, const int64_t *table, int64_t classes);

/* One row of a grid: small pictures that share a scale of grey, least black and largest white. */
typedef struct {
  char title[288];
  int64_t count, h, w; /* pictures, and their pixels */
  int64_t channels;    /* picture i is named i, or i / channels "." i % channels where there are several */
  double *values;      /* [count][h][w] */
} plots_row;

int plots_grid(const char *path, const char *title, const plots_row *rows, int64_t count);

#endif
