/* The running line of a training; see progress.h. */
#include "progress.h"
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const double interval = 0.2; /* seconds */

double progress_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_open(progress *p, progress_when when)
{
  p->terminal = isatty(STDERR_FILENO);
  p->on = when == PROGRESS_ALWAYS || (when == PROGRESS_AUTO && p->terminal);
  p->last = 0;
}

/* "  8 s left", "  3 min left", "  1 h 05 min left", or nothing. */
static void print_left(char text[40], double seconds)
{
  long long minutes = (long long)(seconds / 60 + 0.5);
  text[0] = 0;
  if (!(seconds >= 0 && seconds < 1e9)) return;
  if (seconds < 90)
    snprintf(text, 40, "  %.0f s left", seconds);
  else if (minutes < 60)
    snprintf(text, 40, "  %lld min left", minutes);
  else
    snprintf(text, 40, "  %lld h %02lld min left", minutes / 60, minutes % 60);
}

void progress_show(progress *p, double now, const progress_state *s)
{
  char left[40];
  if (!p->on || now - p->last < interval) return;
  p->last = now;
  print_left(left, s->left);
  fprintf(stderr, "%sepoch %lld/%lld  %3.0f%%  loss %.4f  %.0f images/s%s%s", p->terminal ? "\r\033[K" : "",
          (long long)s->epoch, (long long)s->epochs, 100.0 * (double)s->done / (double)s->images, s->loss, s->speed,
          left, p->terminal ? "" : "\n");
  fflush(stderr);
}

void progress_wipe(progress *p)
{
  if (p->on && p->terminal) fputs("\r\033[K", stderr);
}
