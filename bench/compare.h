/*
 * Compares two JSON reports: did anything become slower?
 */
#ifndef BENCH_COMPARE_H
#define BENCH_COMPARE_H

/*
 * Joins the rows on problem, direction, algorithm, batch, threads and dtype, and prints old time over new time for each
 * (above 1 is faster), the geometric means, the five worst layers, contexts that differ, and the rows that only one file
 * has. Rows marked busy or with peaks that moved, in either file, are left out of the means. fail_above < 0: never fails;
 * else the limit in percent that the geometric mean of a direction and algorithm may become slower.
 * Returns BENCH_OK, BENCH_CHECK_FAILED past the limit, BENCH_BAD_INPUT if a file is no report, nothing joins, or a limit
 * is given and every row is marked. json: a file for the comparison, "-" for stdout, NULL for none.
 */
int bench_compare_files(const char *old_path, const char *new_path, double fail_above, const char *json);

/* The command line behind "compare". */
int bench_compare_main(int argc, char **argv);

#endif
