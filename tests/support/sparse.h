/*
 * Arrays of many GiB on a machine that does not have them: almost all of an input is pages that were never written, and
 * almost all of an output is one small piece of memory seen over and over again. Only the pages that a test wants to look
 * at are real.
 */
#ifndef TESTS_SUPPORT_SPARSE_H
#define TESTS_SUPPORT_SPARSE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  float *data;
  int64_t elements;
  uint64_t bytes; /* mapped */
} sparse;

/* An input: all zeros, writable. False if the system does not give the addresses. */
bool sparse_input(sparse *s, int64_t elements);

/* An output: writes go to shared memory that shows up everywhere, but on the pages named by sparse_keep. */
bool sparse_output(sparse *s, int64_t elements);

/* Gives the pages around an element of an output memory of their own, filled with NaN. */
void sparse_keep(sparse *s, int64_t element);

void sparse_free(sparse *s);

#endif
