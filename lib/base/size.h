/* Checked size arithmetic: every product or sum of sizes that a caller can influence goes through here. */
#ifndef CB_BASE_SIZE_H
#define CB_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *out = a * b, a + b; false, and *out unspecified, if it does not fit. */
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

/* Quotient rounded up, of a >= 0 by b > 0. */
static inline int64_t cb_ceil_div(int64_t a, int64_t b)
{
  return a / b + (a % b != 0);
}
static inline int64_t cb_round_up(int64_t a, int64_t b)
{
  return cb_ceil_div(a, b) * b;
}

/* Parts of as even a size as possible, at most `most`, that a total is cut into; at least 1. */
static inline int64_t cb_parts(int64_t total, int64_t most)
{
  return cb_max(1, cb_ceil_div(total, most));
}

/* Element i of [0, total) cut into parts of as even a size as possible: part i begins at cb_split(total, parts, i). */
static inline int64_t cb_split(int64_t total, int64_t parts, int64_t i)
{
  return i * (total / parts) + cb_min(i, total % parts);
}

#endif
