/*
 * Several builds of libcnnblas in one process, each kept to itself.
 */
#ifndef BENCH_AB_LIBRARY_H
#define BENCH_AB_LIBRARY_H

#include "library_api.h"

typedef struct bench_build {
  char *path; /* without links */
  void *handle;
  bench_library_api api;
  cnnblas_system_info system; /* as that build sees it */
} bench_build;

/*
 * Opens the file. Its own calls stay inside it, whatever other build is loaded; OpenBLAS and the OpenMP runtime are
 * those of the process. Returns BENCH_OK; BENCH_BAD_INPUT, said why, if there is no such file, it is no build of the
 * library, it is of another version (major or minor), or cannot be kept to itself; BENCH_NO_MEMORY.
 */
int bench_build_open(const char *path, bench_build *build);
void bench_build_close(bench_build *build);

#endif
