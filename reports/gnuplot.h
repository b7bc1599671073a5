/*
 * Pictures by the program gnuplot, for the command and for the benchmark: a script in a directory becomes SVG or PNG.
 */
#ifndef REPORTS_GNUPLOT_H
#define REPORTS_GNUPLOT_H

#include <stdio.h>

typedef enum { GNUPLOT_DONE, GNUPLOT_ABSENT, GNUPLOT_FAILED } gnuplot_status;

/*
 * Writes the head of a script: sizes in pixels, a title (NULL for none), and the styles 1 to 8, whose colours (Okabe and
 * Ito's) are told apart by colour-blind people and, with their patterns, marks and dashes, in grey.
 */
void gnuplot_head(FILE *script, int width, int height, const char *title);

/* Text as a gnuplot string with its quotes, in which nothing is substituted; control characters are left out. The second
   form cuts what does not fit into size bytes, and returns the length. */
void gnuplot_text(FILE *script, const char *text);
size_t gnuplot_quote(char *to, size_t size, const char *text);

/* The end of a script: draws `commands`, a plot command, twice: NAME.svg and NAME.png. */
void gnuplot_draw(FILE *script, const char *name, int width, int height, const char *commands);

/* The same once: `file`, SVG or PNG by its ending, which must be one of the two. */
void gnuplot_draw_file(FILE *script, const char *file, int width, int height, const char *commands);

/* Runs gnuplot in the directory on the count scripts NAME.gp. */
gnuplot_status gnuplot_run(const char *directory, const char *const *names, size_t count);

enum { GNUPLOT_STYLES = 8 };

#endif
