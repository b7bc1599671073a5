/*
 * Which calls of layers are worth a team of threads.
 *
 * A call with less to do than a team of threads takes to wake and to meet again stays on the calling thread, and is cut for
 * one. What a call has to do is estimated in nanoseconds of one core, from its shape; results do not depend on it.
 */
#ifndef CB_LAYERS_TEAMS_H
#define CB_LAYERS_TEAMS_H

#include "base/parallel.h"
#include <stdint.h>

enum { CB_WAKE_NANOSECONDS = 10000 };

/* The time that a byte takes to be read or written near the core by a loop that does little with it. */
#define CB_BYTE_NANOSECONDS 0.03

/* Threads of a call with so much to do: the caller's number or the default, or 1. */
static inline int cb_layer_threads(int32_t threads, double nanoseconds)
{
  if (nanoseconds < CB_WAKE_NANOSECONDS) return 1;
  return threads ? threads : cb_threads_default();
}

#endif
