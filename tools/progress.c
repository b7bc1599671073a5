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

void progress_show(progress *p, double now, int64_t epoch, int64_t epochs, int64_t done, int64_t images, double loss,
                   double speed)
{
  if (!p->on || now - p->last < interval) return;
  p->last = now;
  fprintf(stderr, "%sepoch %lld/%lld  %3.0f%%  loss %.4f  %.0f images/s%s", p->terminal ? "\r\033[K" : "",
          (long long)epoch, (long long)epochs, 100.0 * (double)done / (double)images, loss, speed,
          p->terminal ? "" : "\n");
  fflush(stderr);
}

void progress_wipe(progress *p)
{
  if (p->on && p->terminal) fputs("\r\033[K", stderr);
}
