/*
 * The calling thread's treatment of denormal numbers: as they are, or as zeros, read (DAZ) and written (FTZ). Denormals
 * cost some processors a hundred cycles an operation.
 */
#ifndef CB_BASE_DENORMALS_H
#define CB_BASE_DENORMALS_H

#include <stdbool.h>
#include <stdint.h>

#if defined __SSE2__
#include <xmmintrin.h>
#define CB_FLUSHES 1
enum { CB_FLUSH_BITS = 0x8040 }; /* the bits "flush to zero" and "denormals are zeros" of the register MXCSR */
typedef uint32_t cb_float_control;

static inline cb_float_control cb_float_control_get(void)
{
  return _mm_getcsr();
}
static inline void cb_float_control_set(cb_float_control control)
{
  _mm_setcsr(control);
}
#elif defined __aarch64__
#define CB_FLUSHES 1
enum { CB_FLUSH_BITS = 1 << 24 }; /* the bit of the register FPCR that does both at once */
typedef uint64_t cb_float_control;

static inline cb_float_control cb_float_control_get(void)
{
  cb_float_control control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  return control;
}
static inline void cb_float_control_set(cb_float_control control)
{
  __asm__ volatile("msr fpcr, %0" : : "r"(control) : "memory");
}
#else
#define CB_FLUSHES 0
enum { CB_FLUSH_BITS = 0 };
typedef uint32_t cb_float_control;

static inline cb_float_control cb_float_control_get(void)
{
  return 0;
}
static inline void cb_float_control_set(cb_float_control control)
{
  (void)control;
}
#endif

/* Makes the thread take denormals for zeros, if on; returns the register's bits, which cb_flush_end restores. */
static inline cb_float_control cb_flush_begin(bool on)
{
  if (!on) return 0;
  const cb_float_control before = cb_float_control_get();
  cb_float_control_set(before | CB_FLUSH_BITS);
  return before;
}

/* Restores the bits that cb_flush_begin set. Flags of exceptions that were raised between the two stay raised. */
static inline void cb_flush_end(bool on, cb_float_control before)
{
  if (!on) return;
  const cb_float_control bits = CB_FLUSH_BITS;
  cb_float_control_set((cb_float_control_get() & ~bits) | (before & bits));
}

#endif
