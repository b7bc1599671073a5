/*
 * --wait-quiet: measuring waits until others leave the machine alone.
 */
#ifndef BENCH_QUIET_H
#define BENCH_QUIET_H

/*
 * Waits until other processes take less than a twentieth of a core from the cores that this one may run on, at most
 * *left seconds, of which it takes away what it waited. Says on stderr what it waits for, and when it gives up.
 */
void bench_wait_quiet(double *left);

#endif
