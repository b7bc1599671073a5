/*
 * The one seam between the tools and the system: memory and file calls. All of tools/io, and through it jansson, zlib
 * and libpng, ask here, and files are replaced by lib/base/replace.c, so that a test can make the k-th call fail by
 * wrapping a few symbols of libc (malloc, realloc, open, read, write, fsync, rename, close) in these two.
 */
#ifndef TOOLS_IO_SYSTEM_H
#define TOOLS_IO_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* NULL if there is no memory; never NULL for 0 bytes otherwise. */
void *io_alloc(size_t bytes);
/* count * size zeroed bytes; NULL also where the product wraps. */
void *io_alloc_zeroed(size_t count, size_t size);
void *io_resize(void *memory, size_t bytes);
void io_free(void *memory);

/* Sends jansson's allocations here. Call once, before its first use. */
void io_use_json(void);

/* True if jansson was refused memory since the last io_json_begin(), on this thread. It calls such an error one of
   syntax at times, or does not notice: whoever uses it asks. */
void io_json_begin(void);
bool io_json_lacked_memory(void);

/* From now on, on this thread, jansson may hold so many bytes more and no others; SIZE_MAX: no limit. */
void io_json_limit(size_t bytes);

/* As the calls of the same names, gone on with after a signal. */
int io_open(const char *path, int flags, mode_t mode);
ssize_t io_read(int fd, void *bytes, size_t count);
ssize_t io_write(int fd, const void *bytes, size_t count);
int io_close(int fd);

#endif
