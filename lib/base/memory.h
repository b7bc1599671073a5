/* The library's only allocator: 64-byte aligned, never zeroed unless asked, and it may fail. */
#ifndef CB_BASE_MEMORY_H
#define CB_BASE_MEMORY_H

#include <stddef.h>

enum { CB_ALIGN = 64 };

/* Allocates `bytes` bytes, uninitialised and 64-byte aligned; NULL if there are none. 0 bytes give a valid pointer. */
void *cb_alloc(size_t bytes);

/* Allocates like cb_alloc, and sets every byte to zero. */
void *cb_alloc_zeroed(size_t bytes);

/* Frees what cb_alloc or cb_alloc_zeroed gave; NULL is ignored. */
void cb_free(void *memory);

/* The first 64-byte boundary at or after p. */
void *cb_align(void *p);

/* `bytes` rounded up to a multiple of 64, so that parts of a workspace stay aligned. */
static inline size_t cb_aligned_size(size_t bytes)
{
  return (bytes + (CB_ALIGN - 1)) & ~(size_t)(CB_ALIGN - 1);
}

#endif
