/* Checked size arithmetic: every product or sum of sizes that a caller can influence goes through here. */
#ifndef CB_BASE_SIZE_H
#define CB_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *out = a * b, and *out = a + b; false, and *out unspecified, if the result does not fit. */
static inline bool cb_mul(int64_t a, int64_t b, int64_t *out)
{
  return !__builtin_mul_overflow(a, b, out);
}
static inline bool cb_add(int64_t a, int64_t b, int64_t *out)
{
  return !__builtin_add_overflow(a, b, out);
}

static inline int64_t cb_min(int64_t a, int64_t b)
{
  return a < b ? a : b;
}
static inline int64_t cb_max(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

/* a / b rounded up, and a rounded up to a multiple of b, for a >= 0 and b > 0. */
static inline int64_t cb_ceil_div(int64_t a, int64_t b)
{
  return a / b + (a % b != 0);
}
static inline int64_t cb_round_up(int64_t a, int64_t b)
{
  return cb_ceil_div(a, b) * b;
}

/* How many of `count` leaves the left branch of a binary tree has: the largest power of two below count; all, if there is at
   most one. */
static inline int64_t cb_left_branch(int64_t count)
{
  int64_t left = 1;
  while (left * 2 < count) left *= 2;
  return cb_min(left, count);
}

/* How many parts of as even a size as possible, each at most `most`, a total is cut into; at least 1. */
static inline int64_t cb_parts(int64_t total, int64_t most)
{
  return cb_max(1, cb_ceil_div(total, most));
}

/* Where part i of [0, total) begins, when it is cut into parts of as even a size as possible. */
static inline int64_t cb_split(int64_t total, int64_t parts, int64_t i)
{
  return i * (total / parts) + cb_min(i, total % parts);
}

#endif
