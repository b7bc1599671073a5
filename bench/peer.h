/*
 * What can be timed: an algorithm of the library, or a peer. To add a peer, write one file that fills a bench_peer, and
 * add it to the table in peers.c and to meson.build. README.md tells it step by step.
 *
 *   create   everything that may happen once per layer: buffers, plans, compiled kernels, and the copy of the inputs
 *            into layouts of the peer's own. NULL if the task is not for this peer: why then says so.
 *   run      one call, the part that is timed: from the task's inputs (or create's copies) to the result, in task->out
 *            or in a layout of the peer's own. False if it failed.
 *   fetch    brings the last run's result into task->out, untimed. NULL if run writes there itself.
 *   describe what was chosen inside, for the report: an implementation's name. May be NULL.
 *   workspace bytes set aside for run beside inputs and output. May be NULL: none.
 *
 * Buffers should be taken from bench_pages (process_memory.h), untouched, so that the memory column sees which of their pages
 * run really uses; except a result in a layout of its own: touch it in create, it is not workspace.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "task.h"
#include <stdbool.h>

typedef struct bench_peer {
  const char *name;    /* as in --peers and in the reports */
  const char *summary; /* one line for --list */
  void *(*create)(const bench_task *task, const void *options, char *why, size_t why_size);
  bool (*run)(void *state);
  bool (*fetch)(void *state);
  const char *(*describe)(const void *state);
  size_t (*workspace)(const void *state);
  void (*destroy)(void *state);
  bool by_name_only;            /* neither by default nor by --peers all */
  bool leaves_threads_spinning; /* its thread pool burns cycles for a while after run: whoever is next must wait */
} bench_peer;

/* The peers of this build, NULL past the end. */
const bench_peer *bench_peer_at(size_t index);

/* "2.6.0" of the oneDNN behind its peers, "" in a build without. */
const char *bench_onednn_version(void);

/* The library itself; options is a const cnnblas_conv_options *. */
extern const bench_peer bench_ours;

/* Any build of the library; options is a const bench_build_options * (library_api.h), which must stay until destroy. */
extern const bench_peer bench_other_build;

#endif
