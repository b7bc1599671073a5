/* Pictures of the command; see plots.h. */
#include "plots.h"
#include "command.h"
#include "io/file.h"
#include "io/system.h"
#include "reports/gnuplot.h"
#include "reports/output.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A script in the making, beside the picture that it draws. */
typedef struct {
  io_output output;
  FILE *file; /* output's */
  char path[PATH_MAX], folder[PATH_MAX];
  const char *name; /* the picture's, within its folder */
} script;

static bool ends_in(const char *path, const char *end)
{
  size_t length = strlen(path), n = strlen(end);
  return length > n && strcmp(path + length - n, end) == 0;
}

static int script_name(const char *path, char *name)
{
  if (snprintf(name, PATH_MAX, "%s.gp", path) < PATH_MAX) return COMMAND_FINE;
  return command_fail(COMMAND_NO_ROOM, "%s: cannot create: the name is too long", path);
}

int plots_check(const char *option, const char *path)
{
  char gp[PATH_MAX];
  io_error error;
  if (!ends_in(path, ".svg") && !ends_in(path, ".png"))
    return command_bad_value(option, path, "it must end in .svg or .png");
  int named = script_name(path, gp);
  if (named) return named;
  io_status status = io_can_replace(path, &error);
  if (!status) status = io_can_replace(gp, &error);
  return status ? command_fail((int)status, "%s", error.text) : COMMAND_FINE;
}

static int begin(script *s, const char *path)
{
  const char *slash = strrchr(path, '/');
  s->name = slash ? slash + 1 : path;
  int status = script_name(path, s->path);
  if (status) return status;
  snprintf(s->folder, sizeof s->folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
  if (io_output_open(&s->output, s->path)) return command_fail(COMMAND_NO_ROOM, "%s: %s", s->path, strerror(errno));
  s->file = s->output.file;
  return COMMAND_FINE;
}

/* Draws and removes the script, or leaves it where there is no gnuplot. */
static int end(script *s, int width, int height, const char *commands)
{
  gnuplot_draw_file(s->file, s->name, width, height, commands);
  if (io_output_close(&s->output)) return command_fail(COMMAND_NO_ROOM, "%s: %s", s->path, strerror(errno));
  gnuplot_status status = gnuplot_run(s->folder, &s->name, 1);
  if (status == GNUPLOT_FAILED) return command_fail(COMMAND_NO_ROOM, "gnuplot failed on %s", s->path);
  if (status == GNUPLOT_ABSENT)
    printf("gnuplot is not installed: %s has the data and the script of the picture\n", s->path);
  else
    unlink(s->path);
  return COMMAND_FINE;
}

int plots_curves(const char *path, const char *tested, const train_state *state)
{
  enum { WIDTH = 760, HEIGHT = 620 };
  script s;
  int status = begin(&s, path);
  if (status) return status;
  gnuplot_head(s.file, WIDTH, HEIGHT, NULL);
  fputs("$epochs << EOD\n", s.file);
  for (int64_t i = 0; i < state->row_count; i++) {
    const train_row *r = &state->rows[i];
    fprintf(s.file, "%lld %.9g %.9g %.9g %.9g\n", (long long)r->epoch, r->loss, r->test_loss,
            100.0 * (double)r->correct / (double)r->images, 100.0 * (double)r->test_correct / (double)r->test_images);
  }
  fputs("EOD\nset offsets graph 0.03, graph 0.03, graph 0.06, 0\n", s.file);
  if (state->row_count < 15) fputs("set xtics 1\n", s.file);
  char commands[1024];
  snprintf(commands, sizeof commands,
           "set multiplot layout 2,1\n"
           "set key top right\nset ylabel \"loss\"\nset yrange [0:*]\n"
           "plot $epochs using 1:2 with linespoints ls 2 title \"training\", "
           "$epochs using 1:3 with linespoints ls 1 title \"%s\"\n"
           "set key bottom right\nset xlabel \"epoch\"\nset ylabel \"accuracy (%%)\"\nset yrange [*:100]\n"
           "plot $epochs using 1:4 with linespoints ls 2 title \"training\", "
           "$epochs using 1:5 with linespoints ls 1 title \"%s\"\n"
           "unset multiplot",
           tested, tested);
  return end(&s, WIDTH, HEIGHT, commands);
}

int plots_confusion(const char *path, const int64_t *table, int64_t classes)
{
  enum { MOST_NUMBERED = 40 /* classes whose cells have room for their counts */ };
  int side = 26 * (int)(classes < 12 ? 12 : classes > 100 ? 100 : classes) + 150;
  bool numbered = classes <= MOST_NUMBERED;
  script s;
  int status = begin(&s, path);
  if (status) return status;
  gnuplot_head(s.file, side, side, "Confusion: rows are labels, columns what the model says");
  fputs("$cells << EOD\n", s.file);
  for (int64_t i = 0; i < classes; i++) {
    int64_t images = 0;
    for (int64_t j = 0; j < classes; j++) images += table[i * classes + j];
    for (int64_t j = 0; j < classes; j++) {
      int64_t n = table[i * classes + j];
      fprintf(s.file, "%lld %lld %.6g %lld\n", (long long)j, (long long)i,
              images ? 100.0 * (double)n / (double)images : 0.0, (long long)n);
    }
  }
  fprintf(s.file,
          "EOD\nunset grid\nset border 15\nset size ratio 1\nset palette defined (0 \"white\", 100 \"#303030\")\n"
          "set cbrange [0:100]\nset cblabel \"images of the label (%%)\"\nset xlabel \"prediction (class)\"\n"
          "set ylabel \"label (class)\"\nset xrange [-0.5:%lld.5]\nset yrange [%lld.5:-0.5]\nunset key\n",
          (long long)classes - 1, (long long)classes - 1);
  if (numbered) fputs("set xtics 1\nset ytics 1\n", s.file);
  return end(&s, side + 60, side,
             numbered
                 ? "plot $cells using 1:2:3 with image pixels, "
                   "$cells using 1:2:($4 > 0 && $3 <= 50 ? sprintf(\"%d\", $4) : \"\") with labels "
                   "tc rgb \"black\" font \",8\", "
                   "$cells using 1:2:($3 > 50 ? sprintf(\"%d\", $4) : \"\") with labels tc rgb \"white\" font \",8\""
                 : "plot $cells using 1:2:3 with image pixels");
}

enum { COLUMNS = 8, CELL = 80 /* pixels of a cell of the grid */ };

/* Columns 1 to 3 of a row's pixels: x, y and shade, each small picture as large as fits a cell less its name. */
static void write_pixels(FILE *file, const plots_row *row, double top)
{
  double least = INFINITY, most = -INFINITY;
  for (int64_t i = 0; i < row->count * row->h * row->w; i++) {
    if (!isfinite(row->values[i])) continue;
    least = fmin(least, row->values[i]);
    most = fmax(most, row->values[i]);
  }
  double pixel = 0.8 / (double)(row->h > row->w ? row->h : row->w);
  for (int64_t i = 0; i < row->count; i++) {
    double left = (double)(i % COLUMNS) + 0.1, up = top + (double)(i / COLUMNS);
    for (int64_t p = 0; p < row->h * row->w; p++) {
      double value = row->values[i * row->h * row->w + p];
      int shade = isfinite(value) && most > least ? (int)lrint(255 * (value - least) / (most - least)) : 0;
      double x = left + (double)(p % row->w) * pixel, y = up + (double)(p / row->w) * pixel;
      double beyond = 1.06 * pixel; /* over the edge of the next, or their smoothed edges would show as a line */
      fprintf(file, "%.5g %.5g %.5g %.5g %d\n", x, y, x + beyond, y + beyond, shade * 0x010101);
    }
  }
  fprintf(file, "\n\n");
}

int plots_grid(const char *path, const char *title, const plots_row *rows, int64_t count)
{
  script s;
  int status = begin(&s, path);
  if (status) return status;
  double top = 0;
  fputs("$pixels << EOD\n", s.file);
  for (int64_t r = 0; r < count; r++) {
    write_pixels(s.file, &rows[r], top + 0.35);
    top += (double)((rows[r].count + COLUMNS - 1) / COLUMNS) + 0.5;
  }
  int width = COLUMNS * CELL + 40, height = (int)(top * CELL) + 70;
  fputs("EOD\n", s.file);
  gnuplot_head(s.file, width, height, title);
  fprintf(s.file,
          "unset border\nunset tics\nunset grid\nunset key\nset xrange [0:%d]\nset yrange [%.4g:0]\n"
          "set lmargin at screen %.4f\nset rmargin at screen %.4f\nset tmargin at screen %.4f\n"
          "set bmargin at screen %.4f\n",
          COLUMNS, top, 20.0 / width, 1 - 20.0 / width, 1 - 50.0 / height, 20.0 / height);
  top = 0;
  for (int64_t r = 0; r < count; r++) {
    fputs("set label ", s.file);
    gnuplot_text(s.file, rows[r].title);
    fprintf(s.file, " at 0.1,%.4g left noenhanced\n", top + 0.2);
    for (int64_t i = 0; i < rows[r].count; i++) {
      char name[64];
      if (rows[r].channels > 1)
        snprintf(name, sizeof name, "%lld.%lld", (long long)(i / rows[r].channels), (long long)(i % rows[r].channels));
      else
        snprintf(name, sizeof name, "%lld", (long long)i);
      fputs("set label ", s.file);
      gnuplot_text(s.file, name);
      fprintf(s.file, " at %.4g,%.4g center font \",7\" noenhanced\n", (double)(i % COLUMNS) + 0.5,
              top + 0.35 + (double)(i / COLUMNS) + 0.89);
    }
    top += (double)((rows[r].count + COLUMNS - 1) / COLUMNS) + 0.5;
  }
  return end(&s, width, height,
             "plot $pixels using 1:2:1:3:2:4:5 with boxxyerror fillstyle solid noborder fillcolor rgb variable");
}
