/*
 * The one list of instruction-set levels, lowest first; each level includes those below it. From it come the enum, the
 * names, detection, the tables of functions, the vectors of each compilation, and, by meson, the tests and the bench.
 *
 * A row is  X(ID, name, test, registers, bytes, ...):
 *     ID         its enum value is CB_ISA_ID
 *     name       its text, and the end of the names of what is compiled for it
 *     test       true on a machine that has it; CPUID and XGETBV, so the operating system saves its registers
 *     registers  how many vector registers it has, which the tiles of the kernels are made to fill
 *     bytes      the bytes of one of them
 *     ...        what the user of the list passes on
 *
 * The compiler's options for each level stand in lib/base/meson.build. CONTRIBUTING.md says how a level is added.
 */
#ifndef CB_BASE_LEVELS_H
#define CB_BASE_LEVELS_H

#define CB_CPU_HAS(feature) (__builtin_cpu_supports(feature) != 0)

#ifdef __aarch64__
#define CB_LEVEL_baseline(X, ...) X(BASELINE, baseline, 1, 32, 16, __VA_ARGS__)
#else
#define CB_LEVEL_baseline(X, ...) X(BASELINE, baseline, 1, 16, 16, __VA_ARGS__)
#endif
#define CB_LEVEL_avx2(X, ...) X(AVX2, avx2, CB_CPU_HAS("avx2") && CB_CPU_HAS("fma"), 16, 32, __VA_ARGS__)
#define CB_LEVEL_avx512(X, ...)                                                                                        \
  X(AVX512, avx512,                                                                                                    \
    CB_CPU_HAS("avx512f") && CB_CPU_HAS("avx512dq") && CB_CPU_HAS("avx512bw") && CB_CPU_HAS("avx512vl"), 32, 64,       \
    __VA_ARGS__)

#ifdef __x86_64__
#define CB_LEVELS(X, ...)                                                                                              \
  CB_LEVEL_baseline(X, __VA_ARGS__) CB_LEVEL_avx2(X, __VA_ARGS__) CB_LEVEL_avx512(X, __VA_ARGS__)
#else
#define CB_LEVELS(X, ...) CB_LEVEL_baseline(X, __VA_ARGS__)
#endif

/* One field of a row, for #if and for meson: CB_LEVEL_avx2(CB_LEVEL_BYTES) is 32. */
#define CB_LEVEL_NAME(ID, name, ...)                              name
#define CB_LEVEL_REGISTERS(ID, name, test, registers, bytes, ...) registers
#define CB_LEVEL_BYTES(ID, name, test, registers, bytes, ...)     bytes

/* Levels as cb_isa numbers them; CB_ISA_COUNT is how many there are. */
#define CB_LEVEL_ENUM(ID, ...) CB_ISA_##ID,
typedef enum { CB_LEVELS(CB_LEVEL_ENUM) CB_ISA_COUNT } cb_isa;

#endif
