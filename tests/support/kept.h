/*
 * Expected results that are wanted again: tests go through all algorithms on the same problem and the same inputs, and the definition
 * takes longer than most of them. What is found has been computed from inputs that are equal byte for byte.
 */
#ifndef TESTS_SUPPORT_KEPT_H
#define TESTS_SUPPORT_KEPT_H

#include "support/oracle.h"

/* The two inputs of a call's direction. */
typedef struct {
  const void *first, *second;
  size_t first_bytes, second_bytes;
} kept_inputs;

/* True, and o is what kept_add() was given last for such a call; o has room for its outputs. False if there is none. */
bool kept_find(oracle *o, const problem *p, cnnblas_conv_direction direction, int64_t n, const kept_inputs *inputs);

/* Keeps a copy of o and of the inputs for some time, unless they are large. */
void kept_add(const oracle *o, const problem *p, cnnblas_conv_direction direction, int64_t n,
              const kept_inputs *inputs);

#endif
