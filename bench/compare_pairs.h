/*
 * What cnnblas-bench compare found in two reports, and the JSON of it.
 */
#ifndef BENCH_COMPARE_PAIRS_H
#define BENCH_COMPARE_PAIRS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct bench_pair {
  const char *name, *direction, *algorithm;
  double before, after; /* real_time, in seconds */
  double ratio;         /* before over after: above 1 is faster now */
  bool close;           /* the quartile ranges overlap */
  bool disturbed;       /* others took time from one of the two, or the peaks around it moved: no difference is real */
  const char *mark;     /* as in the table of a run, of both */
} bench_pair;

/* What two reports have in common, and the rows that only one of them has. */
typedef struct bench_pairs {
  bench_pair *items;
  const json_t **only_old, **only_new;
  size_t count, only_old_count, only_new_count;
} bench_pairs;

/* All rows of a direction and algorithm. */
typedef struct bench_pairs_group {
  const char *direction, *algorithm;
  double mean; /* geometric, of the ratios of the undisturbed rows; means nothing if there are none */
  size_t count, disturbed;
} bench_pairs_group;

/* The group that begins with that row; false if an earlier row has begun it. */
bool bench_pairs_mean(const bench_pairs *joined, size_t row, bench_pairs_group *group);

/* Writes rows, means and both contexts. "-" is stdout. False if it could not be written: errno tells. */
bool bench_compare_write(const char *path, const bench_pairs *joined, json_t *old_root, json_t *new_root);

#endif
