/* The version, in one place: meson.build reads it from here. */
#ifndef CNNBLAS_VERSION_H
#define CNNBLAS_VERSION_H

#include <cnnblas/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Changes with the ABI; the soname carries it. */
#define CNNBLAS_VERSION_MAJOR 0
/** New features; before 1.0 the ABI too, and the soname carries it then: libcnnblas.so.0.2. */
#define CNNBLAS_VERSION_MINOR 2
/** Repairs only. */
#define CNNBLAS_VERSION_PATCH 0

/**
 * The version of the library that is running, "0.2.0"; the macros above are those it was compiled against.
 * Static storage; never NULL. Thread safe.
 */
CNNBLAS_API const char *cnnblas_version_string(void);

#ifdef __cplusplus
}
#endif
#endif
