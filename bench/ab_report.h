/*
 * What cnnblas-bench ab prints and writes.
 */
#ifndef BENCH_AB_REPORT_H
#define BENCH_AB_REPORT_H

#include "ab_library.h"
#include "report.h"

/* One build on one problem, direction and algorithm. The first build of a row's group is what the others are
   compared with. */
typedef struct bench_ab_row {
  bench_problem problem; /* desc as it ran */
  char descriptor[192];
  cnnblas_conv_direction direction;
  char algorithm[40], chosen[64]; /* as asked for, and what ran inside */
  int threads;
  size_t build; /* its index */
  bench_timing timing;
  bench_verdict verdict;
  double flops;
  double ratio, ratio_of_medians; /* the first build's time over this one's: above 1 this one is faster; 0: none */
  bool close;                     /* and the quartile ranges overlap */
  size_t different;               /* outputs whose bits are not the first build's */
  double largest_difference;      /* of any output, absolute */
  bench_load load;                /* what others took */
} bench_ab_row;

typedef struct bench_ab_report {
  const bench_build *builds;
  size_t build_count;
  bench_ab_row *rows;
  size_t count, capacity;
} bench_ab_report;

/* False if memory ran out. */
bool bench_ab_add(bench_ab_report *report, const bench_ab_row *row);

void bench_ab_print_head(const bench_ab_report *report, const bench_options *options);
void bench_ab_print_problem(const bench_ab_row *first);
void bench_ab_print_row(const bench_ab_row *row, bool first_of_direction);

/* Geometric means and the worst rows of every build but the first. */
void bench_ab_print_summary(const bench_ab_report *report);

/* A report in the schema of the other runs. False if it could not be written: errno tells. */
bool bench_ab_write(const char *path, const bench_ab_report *report, const bench_context *context);

/* 'A' is the first build. */
static inline char bench_ab_letter(size_t build)
{
  return (char)('A' + (int)build);
}

#endif
