/*
 * cnnblas-bench plot FILE.json DIR [PICTURE]: pictures of a report, through the program gnuplot.
 */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

/*
 * Writes into DIR, which is made if need be, for each set of the report: means, bars (a picture a direction), the roofline, and
 * for sweeps how time grows. Each is NAME.dat, NAME.gp, NAME.svg and NAME.png; without gnuplot the first two, and stdout
 * says so. only: the name of the one picture that is wanted, or NULL. Returns a BENCH_ status; what went wrong was printed.
 */
int bench_plot(const char *json_path, const char *directory, const char *only);

/* Makes the directory of --plot if need be; if *json is NULL, that becomes DIR/results.json (static storage). BENCH_OK, or
   what went wrong was printed. */
int bench_plot_prepare(const char *directory, const char **json);

/* The subcommand; argv[0] is "plot". */
int bench_plot_main(int argc, char **argv);

#endif
