/*
 * Arrays of the benchmark, and what a call does to the process's memory.
 */
#ifndef BENCH_PROCESS_MEMORY_H
#define BENCH_PROCESS_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Fresh zero pages straight from the system, page aligned; NULL if size is more than the memory that is available now
 * (asking anyway would end in the process being killed, not in an error). size 0 gives one page.
 */
void *bench_pages(size_t size);
void bench_pages_free(void *pages, size_t size);

/* Bytes that a new allocation may take now; SIZE_MAX where the system does not tell. */
size_t bench_memory_available(void);

/*
 * The growth of the process's resident memory between begin and its highest point before end, in bytes: fresh pages
 * touched by what ran in between, whoever allocated them. 0 where the system does not tell.
 */
size_t bench_memory_begin(void);
size_t bench_memory_growth(size_t begin);

#endif
