/*
 * Macros that take a value out of the optimiser's sight, at no cost. Otherwise gcc would fold the load of a vector into
 * each of the multiply-adds that use it, many loads in place of one, and keep addresses in memory that an addition
 * gives.
 */
#ifndef CB_GEMM_OPAQUE_H
#define CB_GEMM_OPAQUE_H

#define OPAQUE(word) __asm__("" : "+r"(word))
/* OPAQUE_HERE also keeps the load where it is: moved out of a loop, it would take a register that the loop lacks. */
#if defined __AVX512F__
#define OPAQUE_VECTOR(v) __asm__("" : "+v"(v))
#define OPAQUE_HERE(v)   __asm__ volatile("" : "+v"(v))
#elif defined __x86_64__
#define OPAQUE_VECTOR(v) __asm__("" : "+x"(v))
#define OPAQUE_HERE(v)   __asm__ volatile("" : "+x"(v))
#elif defined __aarch64__
#define OPAQUE_VECTOR(v) __asm__("" : "+w"(v))
#define OPAQUE_HERE(v)   __asm__ volatile("" : "+w"(v))
#else
#define OPAQUE_VECTOR(v) ((void)0)
#define OPAQUE_HERE(v)   ((void)0)
#endif

#endif
