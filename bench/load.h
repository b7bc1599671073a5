/*
 * Whether other processes took processor time from what was measured: the arithmetic. load_monitor.c reads the clocks and
 * counters; nothing here reads anything.
 *
 * The system counts, per core, how long it was busy, idle and stolen by the host (/proc/stat). It counts in ticks, of
 * 10 ms mostly, so an interval of some ticks says little. The clocks of a row's own slices are exact instead, and bound
 * what others took:
 *
 *     missing = cores * seconds - cpu         what the row's cores could have given and the process did not get
 *     waited                                  how long the process's threads were ready to run and had no core
 *
 * What others took of a row's cores is at most the smaller of the two, so a foreign process on a core that the row did
 * not use, where both are 0, marks nothing. Above the limit, the cause may still be a row that leaves its own cores idle:
 * then the system's counters decide, over the rounds that the row took turns in, or, where those have few ticks, over
 * about a second up to their end.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>

enum { BENCH_MOST_CORES = 1024 };

/* A row is marked if others took more of one core than this. */
#define BENCH_LOAD_LIMIT 0.05

/* Seconds since the system started, of one core or of all. */
typedef struct bench_cpu_line {
  bool present;
  double all, idle, stolen; /* all: every state; idle: and waiting for a disk; stolen: taken by the host */
} bench_cpu_line;

typedef struct bench_cpu_times {
  bench_cpu_line total, core[BENCH_MOST_CORES];
} bench_cpu_times;

/* Reads the text of /proc/stat. False if it has no line of processors. */
bool bench_cpu_times_read(const char *text, double ticks_per_second, bench_cpu_times *times);

/* All counters at one moment. */
typedef struct bench_load_moment {
  double at, cpu; /* seconds: of the clock, and of the processor that this process has used */
  double tick;    /* seconds; 0 if the system has no /proc/stat */
  bench_cpu_times times;
  bool allowed[BENCH_MOST_CORES]; /* the cores that the process may run on */
} bench_load_moment;

/* What happened between two moments on the cores that the process may run on. */
typedef struct bench_load_window {
  bool known; /* false: no counters, or they do not add up (a container that hides them) */
  int cores;
  double seconds;
  double foreign, stolen; /* seconds of a core: taken by anybody but this process, and of that by the host */
  double error;           /* of either, in seconds: the counters' ticks */
} bench_load_window;

bench_load_window bench_load_between(const bench_load_moment *begin, const bench_load_moment *end);

/* The clocks of one row's slices, summed. */
typedef struct bench_load_clocks {
  double seconds, cpu;
  double waited; /* NAN where the system does not tell */
} bench_load_clocks;

typedef enum bench_load_verdict {
  BENCH_LOAD_UNKNOWN, /* the system tells nothing */
  BENCH_LOAD_UNCLEAR, /* it tells, but too coarsely for intervals as short as these */
  BENCH_LOAD_QUIET,
  BENCH_LOAD_BUSY
} bench_load_verdict;

typedef struct bench_load {
  bench_load_verdict verdict;
  double foreign; /* cores that others took from the row, estimated; NAN if nothing tells */
  double stolen;  /* cores that the host took; NAN if nothing tells */
} bench_load;

/*
 * Judges a row that ran on so many threads. rounds: the interval in which it took turns with others; wide: one that
 * contains it and is long enough for the ticks, or rounds again. Unknown if the counters are, unclear if the intervals
 * have too few ticks to tell; never quiet in doubt.
 */
bench_load bench_load_judge(const bench_load_clocks *row, int threads, const bench_load_window *rounds,
                            const bench_load_window *wide);

/* "unknown", "unclear", "quiet", "busy" */
const char *bench_load_name(bench_load_verdict verdict);

#endif
