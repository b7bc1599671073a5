/* Signals that end a run; see signals.h. */
#include "signals.h"
#include <stddef.h>

static volatile sig_atomic_t stopped_by;

static void stop(int number)
{
  stopped_by = number;
}

static const int caught[SIGNALS_CAUGHT] = {SIGINT, SIGTERM, SIGHUP};

void signals_catch(struct sigaction before[SIGNALS_CAUGHT])
{
  struct sigaction action = {.sa_handler = stop, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
  stopped_by = 0;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < SIGNALS_CAUGHT; i++)
    if (sigaction(caught[i], NULL, &before[i]) == 0 && before[i].sa_handler != SIG_IGN)
      sigaction(caught[i], &action, NULL);
}

void signals_release(const struct sigaction before[SIGNALS_CAUGHT])
{
  for (int i = 0; i < SIGNALS_CAUGHT; i++) sigaction(caught[i], &before[i], NULL);
}

int signals_came(void)
{
  return stopped_by;
}
