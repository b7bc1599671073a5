/*
 * The built-in shape sets: the files of problems/, embedded when the program is built.
 */
#ifndef BENCH_SETS_H
#define BENCH_SETS_H

#include "problem.h"

typedef struct bench_set {
  const char *name; /* the file's name without .txt; NULL ends the table */
  const char *text; /* the file */
} bench_set;

extern const bench_set bench_sets[];

/* Adds the set's problems to the list. Returns 0, 1 if there is no such set, or 2 if memory ran out. */
int bench_set_load(bench_problem_list *list, const char *name);

#endif
