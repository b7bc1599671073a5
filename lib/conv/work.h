/* What the cost model counts, and the rows of its table: the names that costs.c, its table and bench/calibrate.py
   share. */
#ifndef CB_CONV_WORK_H
#define CB_CONV_WORK_H

/* The kinds of work. */
#define CB_WORK_LIST(X)                                                                                                \
  X(MAC)     /* multiply-adds, those on lanes that hold nothing included */                                            \
  X(STORE)   /* elements of the output, lanes that hold nothing included */                                            \
  X(READ)    /* elements of the input that are copied or lowered */                                                    \
  X(WEIGHTS) /* weights that are packed or fetched */                                                                  \
  X(CALLS)   /* images times groups; in some rows tasks, or blocks */                                                  \
  X(ONCE)    /* the constant 1: what a call takes whatever its size */

/* The rows of the table, and whose products they are: BLAS rows take longer where OpenBLAS runs its kernels for another
   core. */
#define CB_COST_LIST(X)                                                                                                \
  X(ROWS, OWN)    /* implicit_gemm, channels on the lanes */                                                           \
  X(LANES, OWN)   /* implicit_gemm, pixels on the lanes, weights packed */                                             \
  X(DIRECT, OWN)  /* implicit_gemm, pixels on the lanes, weights read where they lie */                                \
  X(BATCH, OWN)   /* implicit_gemm, images on the lanes */                                                             \
  X(SLIVERS, OWN) /* implicit_gemm, pixels on the lanes, both operands packed in pieces */                             \
  X(WEIGHTS, OWN) /* implicit_gemm's weight gradient, output channels on the lanes */                                  \
  X(INPUTS, OWN)  /* implicit_gemm's weight gradient, input channels on the lanes */                                   \
  X(GEMM_1X1, BLAS)                                                                                                    \
  X(IM2COL, BLAS)                                                                                                      \
  X(ROT180, BLAS)                                                                                                      \
  X(DEPTHWISE, OWN)        /* depthwise and direct, any number of taps */                                              \
  X(DEPTHWISE_SQUARE, OWN) /* depthwise, 3 x 3 or 5 x 5 taps, which the compiler knows */                              \
  X(PLANES, OWN)           /* depthwise and direct, several outputs of a group at once */                              \
  X(STRIPS, OWN)           /* depthwise and direct at stride 1, rows of a vector or more, any number of sources */     \
  X(DOWN, OWN)             /* depthwise and direct, 3 x 3 taps where registers are few: columns of a vector's width */ \
  X(WINOGRAD, OWN)         /* winograd*, tiles of any size: products at points, elements of transformed tiles */       \
  X(WINOGRAD_WEIGHTS, OWN) /* winograd*'s weight gradient */

#define CB_ENUMERATOR(NAME) CB_WORK_##NAME,
typedef enum { CB_WORK_LIST(CB_ENUMERATOR) CB_WORK_KINDS } cb_work;
#undef CB_ENUMERATOR
#define CB_ENUMERATOR(NAME, WHOSE) CB_COST_##NAME,
typedef enum { CB_COST_LIST(CB_ENUMERATOR) CB_COST_ROWS_OF_TABLE } cb_cost_row;
#undef CB_ENUMERATOR

#endif
