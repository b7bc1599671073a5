/* The clocks that everything is timed by. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

/* Seconds since some fixed moment. */
double bench_now(void);

/* Processor seconds of the calling thread: what others run in between does not count; and of all threads of the process. */
double bench_thread_seconds(void);
double bench_process_seconds(void);

#endif
