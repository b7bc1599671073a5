/*
 * The calls of libcnnblas that a timed convolution takes, as pointers: those of the library that the benchmark is linked
 * with, or those of another build of it.
 */
#ifndef BENCH_LIBRARY_API_H
#define BENCH_LIBRARY_API_H

#include <cnnblas/cnnblas.h>

/*
 * The one list of them: X(name, old) for each cnnblas_NAME. A build of version 0.1 has cnnblas_OLD instead, which takes the same
 * arguments and structs as far as the benchmark uses them; where it has none, old is NULL and so is the pointer.
 */
#define BENCH_LIBRARY_CALLS(X)                                                                                         \
  X(conv_backward_data, "cnnblas_conv_backward_data")                                                                  \
  X(conv_backward_data_packed, NULL)                                                                                   \
  X(conv_backward_weights, "cnnblas_conv_backward_weights")                                                            \
  X(conv_forward, "cnnblas_conv_forward")                                                                              \
  X(conv_forward_once, "cnnblas_conv")                                                                                 \
  X(conv_forward_packed, "cnnblas_conv_forward_packed")                                                                \
  X(conv_plan_algorithm, "cnnblas_conv_plan_algorithm")                                                                \
  X(conv_plan_create, "cnnblas_conv_plan_create")                                                                      \
  X(conv_plan_destroy, "cnnblas_conv_plan_destroy")                                                                    \
  X(conv_plan_pack_weights, NULL)                                                                                      \
  X(conv_plan_packed_bytes, NULL)                                                                                      \
  X(conv_plan_workspace, "cnnblas_conv_plan_workspace")                                                                \
  X(last_error, "cnnblas_last_error")                                                                                  \
  X(system_get_info, "cnnblas_get_system_info")                                                                        \
  X(version_string, "cnnblas_version_string")

typedef struct bench_library_api {
#define X(name, old) __typeof__(&cnnblas_##name) name;
  BENCH_LIBRARY_CALLS(X)
#undef X
} bench_library_api;

/* Workspace that several builds take turns in, so that its place in memory favours none of them: create makes it large
   enough for each. Zero is empty; release it with bench_pages_free after the last destroy. */
typedef struct bench_scratch {
  void *pages;
  size_t bytes;
} bench_scratch;

/* The options of the peer bench_other_build. */
typedef struct bench_build_options {
  const bench_library_api *api;
  const cnnblas_conv_options *conv; /* NULL for the defaults */
  bench_scratch *scratch;           /* NULL: a workspace of its own */
} bench_build_options;

#endif
