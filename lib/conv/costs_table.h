/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx512-sapphire_rapids.json: 1808 samples
 */
#ifndef CB_CONV_COSTS_TABLE_H
#define CB_CONV_COSTS_TABLE_H

#include "conv/work.h"
#include <cnnblas/conv.h>

/* clang-format off */

/* Levels that were timed; the others take the nearest. */
static const struct {
  const char *level, *openblas_core; /* whose kernels OpenBLAS ran */
  double nanoseconds[CB_COST_ROWS_OF_TABLE][2][3][CB_WORK_KINDS]; /* mac, store, read, weights, calls, once */
} tables[] = {
  {"avx512", "SkylakeX", {
    [CB_COST_ROWS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00651, 0.497, 0.149, 0.0931, 97.9, 2.41e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00715, 0.207, 0.394, 0.133, 802, 1.25e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.013, 0.994, 0.299, 0.186, 196, 4.83e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0143, 0.415, 0.788, 0.266, 1.6e+03, 2.49e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00638, 0, 0.584, 0, 1.59e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00701, 0.676, 0, 0.764, 2.73e+03, 1.62e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0128, 0, 1.17, 0, 3.18e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.014, 1.35, 0, 1.53, 5.45e+03, 3.23e+04},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00812, 0, 0, 0.51, 1.7e+03, 2.01e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00819, 0, 0, 0.978, 1.76e+03, 1.71e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0162, 0, 0, 1.02, 3.41e+03, 4.03e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0164, 0, 0, 1.96, 3.52e+03, 3.41e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0104, 0.0993, 0.234, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0119, 0, 0.648, 0, 0, 539},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0054, 0, 0.116, 0, 0, 2.85e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0208, 0.199, 0.467, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0238, 0, 1.3, 0, 0, 1.08e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0108, 0, 0.233, 0, 0, 5.7e+03},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00596, 0.214, 0.235, 0, 1.05e+03, 1.49e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0119, 0.429, 0.471, 0, 2.1e+03, 2.98e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00762, 0.112, 0.081, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0152, 0.224, 0.162, 0, 0, 0},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0102, 0, 0, 0.0223, 0, 284},
        [CNNBLAS_BACKWARD_DATA] = {0.0107, 0, 0, 0.0279, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0303, 0.215, 0, 0.0354, 769, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0204, 0, 0, 0.0446, 0, 568},
        [CNNBLAS_BACKWARD_DATA] = {0.0215, 0, 0, 0.0558, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0607, 0.429, 0, 0.0709, 1.54e+03, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00817, 0, 0.22, 0.0226, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0106, 0, 0.202, 0.0173, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00823, 0, 0.31, 0.148, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0163, 0, 0.441, 0.0451, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0213, 0, 0.403, 0.0345, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0165, 0, 0.62, 0.295, 0, 0},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.026, 0, 0.164, 3.62, 809, 2.74e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.052, 0, 0.329, 7.24, 1.62e+03, 5.48e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.028, 0, 0.0794, 0.777, 0, 1.23e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0385, 0, 0.0789, 0.972, 0, 1.48e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0489, 0, 0.109, 5.35, 0, 1.91e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0559, 0, 0.159, 1.55, 0, 2.46e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0769, 0, 0.158, 1.94, 0, 2.96e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0978, 0, 0.218, 10.7, 0, 3.83e+04},
      },
    },
    [CB_COST_DEPTHWISE_3X3] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00329, 0, 0.0886, 2.14, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0, 0, 0.113, 2.17, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00271, 0, 0.0998, 11.3, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.00657, 0, 0.177, 4.28, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0, 0, 0.225, 4.34, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00543, 0, 0.2, 22.7, 0, 0},
      },
    },
  }},
};
/* clang-format on */

#endif
