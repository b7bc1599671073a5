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

/* What the line says. */
typedef struct {
  int64_t epoch, epochs; /* from 1 */
  int64_t done, images;  /* of the epoch */
  double loss;           /* mean */
  double speed;          /* images a second */
  double left;           /* seconds to the end of the run; below 0: not known */
} progress_state;

/* The line, if enough time has gone by. */
void progress_show(progress *p, double now, const progress_state *state);

/* Wipes the line, before something else is printed. */
void progress_wipe(progress *p);

#endif
