/* What ends a run with a checkpoint: Ctrl-C, a scheduler's word, a terminal or connection that is gone. */
#ifndef TOOLS_SIGNALS_H
#define TOOLS_SIGNALS_H

#include <signal.h>

enum { SIGNALS_CAUGHT = 3 };

/* From now on SIGINT, SIGTERM and SIGHUP are noted, once each: a second one ends the program. One that whoever started the
   program had ignored (nohup, a shell's background job) stays ignored. */
void signals_catch(struct sigaction before[SIGNALS_CAUGHT]);
void signals_release(const struct sigaction before[SIGNALS_CAUGHT]);

/* The signal that came since signals_catch, or 0. */
int signals_came(void);

#endif
