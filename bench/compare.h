/*
 * Compares two JSON reports: did anything become slower?
 */
#ifndef BENCH_COMPARE_H
#define BENCH_COMPARE_H

/*
 * Joins the rows on problem, direction, algorithm, batch, threads and dtype, and prints old time over new time for each
 * (above 1 is faster), the geometric means and the five worst layers. fail_above < 0: never fails; else the limit
 * in percent that the geometric mean of a direction and algorithm may become slower.
 * Returns BENCH_OK, BENCH_CHECK_FAILED past the limit, BENCH_BAD_INPUT if a file is no report or nothing joins.
 */
int bench_compare_files(const char *old_path, const char *new_path, double fail_above);

/* The command line behind "compare". */
int bench_compare_main(int argc, char **argv);

#endif
