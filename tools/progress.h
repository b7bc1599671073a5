/* The running line of a training on stderr, rewritten a few times a second. */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER } progress_when;

typedef struct {
  bool on, terminal;
  double last; /* seconds: when the line was last written */
} progress;

/* Seconds of a clock that only goes forward. */
double progress_now(void);

void progress_open(progress *p, progress_when when);

/* The line, if enough time has gone by: epoch from 1, images done of the epoch's, mean loss, images a second. */
void progress_show(progress *p, double now, int64_t epoch, int64_t epochs, int64_t done, int64_t images, double loss,
                   double speed);

/* Wipes the line, before something else is printed. */
void progress_wipe(progress *p);

#endif
