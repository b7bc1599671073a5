/* The processor: instruction-set level and cache sizes, found once at run time. */
#ifndef CB_BASE_CPU_H
#define CB_BASE_CPU_H

#include "base/levels.h"
#include <stddef.h>

typedef enum { CB_MAKER_ANY, CB_MAKER_INTEL, CB_MAKER_AMD } cb_maker;

typedef struct {
  cb_isa detected;    /* the highest level that the CPU has and whose registers the operating system saves */
  cb_isa level;       /* the level that is used: `detected`, or a lower one that CNNBLAS_ISA names */
  size_t l1d, l2, l3; /* bytes of the caches; sensible values where the system does not say */
  cb_maker maker;     /* who made the processor, as CPUID names it; CB_MAKER_ANY if it is none of those that matter */
  char model[64];     /* the processor's brand string; "" if unknown */
} cb_cpu;

/* The machine's description. Detection runs once, under a lock; the result never changes. Thread safe. */
const cb_cpu *cb_cpu_get(void);

/* The name of a level, as in levels.h: "avx2". */
const char *cb_isa_name(cb_isa isa);

#endif
