/*
 * Tables of functions that are compiled once for each type and level, and the one among them that the machine takes.
 *
 *     CB_LEVEL_TABLES(cb_engine, engines)
 *
 * declares cb_engine_f32_baseline and the others, each an object of type cb_engine which a compilation for that type
 * and level defines as CB_NAME(cb_engine) (level_build.h), and lists their addresses in engines[level][is f64].
 */
#ifndef CB_GEMM_DISPATCH_H
#define CB_GEMM_DISPATCH_H

#include "base/cpu.h"
#include <cnnblas/conv.h>

#define CB_LEVEL_DECLARE(ID, name, test, registers, bytes, type) extern const type type##_f32_##name, type##_f64_##name;
#define CB_LEVEL_ENTRY(ID, name, test, registers, bytes, type)   [CB_ISA_##ID] = {&type##_f32_##name, &type##_f64_##name},

#define CB_LEVEL_TABLES(type, tables)                                                                                  \
  CB_LEVELS(CB_LEVEL_DECLARE, type)                                                                                    \
  static const type *const tables[CB_ISA_COUNT][2] = {CB_LEVELS(CB_LEVEL_ENTRY, type)}

/* The table of functions for a type at the machine's level. */
#define CB_LEVEL_CHOICE(tables, dtype) ((tables)[cb_cpu_get()->level][(dtype) == CNNBLAS_F64])

#endif
