/* Pictures by the program gnuplot; see gnuplot.h. */
#include "reports/gnuplot.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Neighbours differ in lightness too. */
static const struct {
  const char *colour;
  int pattern, mark, dash;
} styles[GNUPLOT_STYLES] = {{"#0072B2", 3, 7, 1},  {"#E69F00", 1, 5, 2}, {"#56B4E9", 2, 9, 3}, {"#D55E00", 4, 11, 4},
                            {"#009E73", 5, 13, 5}, {"#CC79A7", 6, 4, 1}, {"#F0E442", 7, 6, 2}, {"#000000", 0, 8, 3}};

size_t gnuplot_quote(char *to, size_t size, const char *text)
{
  size_t used = 0;
  if (size < 3) return 0;
  to[used++] = '\'';
  for (; *text && used + 3 < size; text++) {
    if (*text == '\'') to[used++] = '\'';
    if ((unsigned char)*text >= ' ') to[used++] = *text;
  }
  to[used++] = '\'';
  to[used] = 0;
  return used;
}

void gnuplot_text(FILE *script, const char *text)
{
  char quoted[1024];
  gnuplot_quote(quoted, sizeof quoted, text);
  fputs(quoted, script);
}

void gnuplot_head(FILE *script, int width, int height, const char *title)
{
  fprintf(script, "# %d x %d pixels\nreset\nset encoding utf8\n", width, height);
  for (int i = 0; i < GNUPLOT_STYLES; i++)
    fprintf(script, "set style line %d lc rgb \"%s\" lw 2 pt %d ps 1 dt %d\n", i + 1, styles[i].colour, styles[i].mark,
            styles[i].dash);
  fputs("set border 3 lc rgb \"#404040\"\nset grid lc rgb \"#d0d0d0\" lw 1 dt 1\nset tics nomirror out\n", script);
  if (title) {
    fputs("set title ", script);
    gnuplot_text(script, title);
    fputs(" noenhanced\n", script);
  }
}

/* set terminal and set output. */
static void open_output(FILE *script, bool svg, const char *file, int width, int height)
{
  fprintf(script, "set terminal %s size %d,%d noenhanced font \"DejaVu Sans,%d\" background \"white\"\nset output ",
          svg ? "svg dynamic" : "pngcairo", width, height, svg ? 12 : 9);
  gnuplot_text(script, file);
  fputc('\n', script);
}

void gnuplot_draw(FILE *script, const char *name, int width, int height, const char *commands)
{
  char file[512];
  snprintf(file, sizeof file, "%s.svg", name);
  open_output(script, true, file, width, height);
  fprintf(script, "%s\n", commands);
  snprintf(file, sizeof file, "%s.png", name);
  open_output(script, false, file, width, height);
  fputs("replot\nset output\n", script);
}

void gnuplot_draw_file(FILE *script, const char *file, int width, int height, const char *commands)
{
  size_t length = strlen(file);
  open_output(script, length > 4 && strcmp(file + length - 4, ".svg") == 0, file, width, height);
  fprintf(script, "%s\nset output\n", commands);
}

gnuplot_status gnuplot_run(const char *directory, const char *const *names, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    char script[1024];
    int state;
    snprintf(script, sizeof script, "%s.gp", names[i]);
    pid_t child = fork();
    if (child < 0) return GNUPLOT_FAILED;
    if (child == 0) {
      if (chdir(directory) == 0) execlp("gnuplot", "gnuplot", script, (char *)NULL);
      _exit(127);
    }
    if (waitpid(child, &state, 0) != child || !WIFEXITED(state)) return GNUPLOT_FAILED;
    if (WEXITSTATUS(state) == 127) return GNUPLOT_ABSENT;
    if (WEXITSTATUS(state)) return GNUPLOT_FAILED;
  }
  return GNUPLOT_DONE;
}
