/*
 * Arrays with traps around them.
 *
 * A guarded array lies in pages of its own between two pages that nobody may touch. It is placed against one of them, so
 * that the first byte read or written past that end faults; the slack at its other end is filled with a known pattern that
 * guarded_intact() checks. Placed against the end, an array is aligned to its size's factor of two and no more.
 *
 * The pages are mapped twice, once for reading alone, so that protecting an array is a change of its address and no call of the
 * system: a test protects millions.
 */
#ifndef TESTS_SUPPORT_GUARDED_H
#define TESTS_SUPPORT_GUARDED_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { AGAINST_END, AGAINST_START } placement;

typedef struct {
  void *data;   /* the array: its address changes with guarded_protect() */
  size_t bytes; /* its size; 0 is allowed, data then points at a trap */
  char *pages;  /* the usable pages */
  char *sealed; /* the same pages, for reading alone */
  size_t capacity;
  bool opened; /* it has been writable since somebody last set this to false */
} guarded;

/* Makes g (zeroed before its first use) an array of that many bytes. Its contents are undefined. Fails the test if there
   is no memory. A page range that is large enough is used again. */
void guarded_reset(guarded *g, size_t bytes, placement where);

/* Makes `data` the address at which nobody may write the array, or the one at which everybody may again: for inputs. */
void guarded_protect(guarded *g, bool protect);

/* The address for reading alone of what lies at p, an address of g's array for everybody or one counted from it. */
void *guarded_sealed(const guarded *g, const void *p);

/* True if the pattern around the array is whole. */
bool guarded_intact(const guarded *g);

void guarded_free(guarded *g);

#endif
