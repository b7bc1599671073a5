/*
 * The letters that mark disturbed rows in tables and pictures, and what they mean.
 */
#ifndef BENCH_MARKS_H
#define BENCH_MARKS_H

#include "load.h"

/* At most two characters: b other processes took too much, ? it cannot be told, p the peaks moved; "" for none. */
const char *bench_mark(const bench_load *load, bool peaks_moved);

typedef struct bench_mark_counts {
  size_t rows, busy, unclear, unknown, peaks;
} bench_mark_counts;

void bench_mark_count(bench_mark_counts *counts, const bench_load *load, bool peaks_moved);

/* Says on stdout how many rows have which mark and what it means; also
   if the load is unknown. */
void bench_mark_footnote(const bench_mark_counts *counts);

#endif
