/*
 * What libcnnblas_net, libcnnblas_onnx and libcnnblas_mpi need of libcnnblas's inside: exported, but not part of the
 * interface. One library's last error, allocator and threads serve all.
 */
#ifndef CB_BASE_SHARED_H
#define CB_BASE_SHARED_H

#include "base/replace.h"
#include <cnnblas/status.h>
#include <stddef.h>
#include <stdint.h>

/* Formats the sentence behind cnnblas_last_error(), which may be among the arguments, and returns status. */
CNNBLAS_API cnnblas_status cnnblas_shared_fail(cnnblas_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* This stands for cb_fail_memory. */
CNNBLAS_API cnnblas_status cnnblas_shared_no_memory(size_t bytes, const char *what);

/* These stand for cb_alloc or cb_alloc_zeroed, and cb_free. */
CNNBLAS_API void *cnnblas_shared_alloc(size_t bytes, int zeroed);
CNNBLAS_API void cnnblas_shared_free(void *memory);

/* This stands for cb_parallel_for. */
CNNBLAS_API void cnnblas_shared_parallel(int threads, int64_t tasks,
                                         void (*run)(void *context, int64_t task, int worker), void *context);

/* This stands for cb_parallel_session. */
CNNBLAS_API void cnnblas_shared_session(int threads, void (*run)(void *context), void *context);

/* This stands for cb_parallel_alone. */
CNNBLAS_API int cnnblas_shared_alone(int on);

/* This stands for cb_parallel_flush. */
CNNBLAS_API int cnnblas_shared_flush(int on);

/* These stand for cb_replace_begin, for regular files alone, and cb_replace_end. */
CNNBLAS_API int cnnblas_shared_replace_begin(cb_replacement *r, const char *path);
CNNBLAS_API int cnnblas_shared_replace_end(cb_replacement *r, int keep);

#endif
