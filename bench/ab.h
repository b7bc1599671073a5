/*
 * cnnblas-bench ab OLD.so NEW.so ...: builds of the library timed in turns, in one process, on the same arrays.
 */
#ifndef BENCH_AB_H
#define BENCH_AB_H

/* The command line behind "ab". Returns an exit status: BENCH_CHECK_FAILED if a build's result was wrong. */
int bench_ab_main(int argc, char **argv);

#endif
