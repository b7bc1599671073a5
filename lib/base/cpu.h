/* The processor: instruction-set level and cache sizes, found once at run time. */
#ifndef CB_BASE_CPU_H
#define CB_BASE_CPU_H

#include <stddef.h>

/* Levels that kernels are compiled for, lowest first; each includes those below it. */
typedef enum { CB_ISA_BASELINE, CB_ISA_AVX2, CB_ISA_AVX512, CB_ISA_COUNT } cb_isa;

typedef struct {
  cb_isa detected;    /* the CPU has it and the operating system saves its registers */
  cb_isa level;       /* detected, lowered by CNNBLAS_ISA */
  size_t l1d, l2, l3; /* bytes; sensible values where the system does not say */
  char model[64];     /* the brand string; "" if unknown */
} cb_cpu;

/* The machine's description. Detection runs once, under a lock; the result never changes. Thread safe. */
const cb_cpu *cb_cpu_get(void);

/* Text of a level: "baseline", "avx2", "avx512". */
const char *cb_isa_name(cb_isa isa);

#endif
