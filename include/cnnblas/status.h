/*
 * Status codes and the last error's text.
 *
 * Every function of the library that can fail returns a cnnblas_status. The library never prints, exits or aborts; on an
 * error the outputs are untouched, and a sentence that names the field and the value waits in cnnblas_last_error().
 */
#ifndef CNNBLAS_STATUS_H
#define CNNBLAS_STATUS_H

/** Marks what the shared library exports. */
#if defined(_WIN32)
#define CNNBLAS_API
#else
#define CNNBLAS_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** What became of a call. */
typedef enum cnnblas_status {
  CNNBLAS_OK = 0,
  CNNBLAS_INVALID_ARGUMENT = 1, /* a null, misaligned or overlapping pointer; a field out of its range */
  CNNBLAS_UNSUPPORTED = 2,      /* valid, but this build or this algorithm cannot do it */
  CNNBLAS_OUT_OF_MEMORY = 3,    /* an allocation failed, or a workspace is needed and allocation is forbidden */
  CNNBLAS_SIZE_OVERFLOW = 4,    /* a product of sizes does not fit in 63 bits */
  CNNBLAS_IO_ERROR = 5,         /* a file could not be opened, read or written */
  CNNBLAS_BAD_FORMAT = 6,       /* a file or a text is not what it should be */
  CNNBLAS_NOT_FINITE = 7        /* training met a NaN or an infinity: the message names the layer and the step */
} cnnblas_status;

/** The constant's name as text, "CNNBLAS_OK"; "unknown status" for another value. Static storage. Thread safe. */
CNNBLAS_API const char *cnnblas_status_string(cnnblas_status status);

/**
 * What went wrong in the calling thread's last failed call, one sentence: "stride[1] is -2; it must be at least 1".
 *
 * Empty before the first error; a successful call leaves it alone. The text lives in a fixed buffer of the calling
 * thread (at most 511 bytes) and stays valid until that thread's next failed call or its end.
 */
CNNBLAS_API const char *cnnblas_last_error(void);

#ifdef __cplusplus
}
#endif
#endif
