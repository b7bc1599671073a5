/* The last error's text, kept per thread. Internal side of cnnblas/status.h. */
#ifndef CB_BASE_STATUS_H
#define CB_BASE_STATUS_H

#include <cnnblas/status.h>

/* Formats the sentence behind cnnblas_last_error() and returns status, so that `return cb_fail(...)` reads well. */
cnnblas_status cb_fail(cnnblas_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fails with CNNBLAS_OUT_OF_MEMORY; the sentence names the bytes that were asked for and what they were for. */
cnnblas_status cb_fail_memory(unsigned long long bytes, const char *what);

#endif
