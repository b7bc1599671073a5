/* Aligned allocation: the one place in the library that calls the C library's allocator. */
#include "base/memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *cb_alloc(size_t bytes)
{
  void *memory = NULL;
  if (bytes > (size_t)PTRDIFF_MAX) return NULL;
  return posix_memalign(&memory, CB_ALIGN, bytes ? bytes : 1) ? NULL : memory;
}

void *cb_alloc_zeroed(size_t bytes)
{
  void *memory = cb_alloc(bytes);
  if (memory) memset(memory, 0, bytes);
  return memory;
}

void cb_free(void *memory)
{
  free(memory);
}

void *cb_align(void *p)
{
  return (void *)(((uintptr_t)p + (CB_ALIGN - 1)) & ~(uintptr_t)(CB_ALIGN - 1));
}
