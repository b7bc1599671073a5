/*
 * Reads the clocks and counters behind load.h: /proc/stat, the process's processor time, its threads' waiting.
 */
#ifndef BENCH_LOAD_MONITOR_H
#define BENCH_LOAD_MONITOR_H

#include "load.h"

typedef struct bench_load_monitor bench_load_monitor;

/* Starts to watch; NULL if memory ran out. One thread at a time may use it. */
bench_load_monitor *bench_load_monitor_create(void);
void bench_load_monitor_destroy(bench_load_monitor *monitor);

/* False where the system has no /proc/stat: every row is of unknown load then. */
bool bench_load_monitor_works(const bench_load_monitor *monitor);

/* The begin of rounds of measurements, and their end. The windows stay the monitor's, until the next end. */
void bench_load_begin(bench_load_monitor *monitor);
void bench_load_end(bench_load_monitor *monitor);

/* Judges a row of the rounds that ended last. A NULL monitor knows nothing. */
bench_load bench_load_of(const bench_load_monitor *monitor, const bench_load_clocks *row, int threads);

/* Seconds that the process's threads have been ready to run without a core; NAN where the system does not tell. */
double bench_load_waited(void);

/* Cores that others take while this process sleeps for so long; negative where the system does not tell. */
double bench_load_sleep(double seconds);

#endif
