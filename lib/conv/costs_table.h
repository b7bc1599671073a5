/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx512-sapphire_rapids.json: 1320 samples
 */
#ifndef CB_CONV_COSTS_TABLE_H
#define CB_CONV_COSTS_TABLE_H

#include "conv/costs.h"

/* clang-format off */

/* Levels that were timed; the others take the nearest. */
static const struct {
  const char *level;
  double nanoseconds[CB_COST_ROWS_OF_TABLE][2][3][CB_WORK_KINDS]; /* mac, store, read, weights, calls, once */
} tables[] = {
  {"avx512", {
    [CB_COST_ROWS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00638, 0.445, 0.158, 0.0835, 45.1, 2.72e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00687, 0.0323, 0.609, 0.134, 175, 5.07e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0128, 0.89, 0.316, 0.167, 90.2, 5.44e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0137, 0.0646, 1.22, 0.269, 350, 1.01e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00562, 0.169, 0.0251, 0, 1.63e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00634, 0.038, 0.0926, 0, 1.88e+03, 2.12e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0112, 0.339, 0.0503, 0, 3.25e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0127, 0.0761, 0.185, 0, 3.76e+03, 4.25e+04},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0066, 0, 0.022, 0, 1.77e+03, 2.42e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00685, 0, 0, 0, 1.67e+03, 5.6e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0132, 0, 0.0439, 0, 3.54e+03, 4.84e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0137, 0, 0, 0, 3.34e+03, 1.12e+04},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00847, 0.186, 0, 0, 0, 1.22e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.00832, 0, 0.0302, 0, 0, 7.47e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00207, 0, 0.589, 0, 0, 608},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0169, 0.372, 0, 0, 0, 2.45e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0166, 0, 0.0604, 0, 0, 1.49e+05},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00414, 0, 1.18, 0, 0, 1.22e+03},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00663, 0.125, 0.0705, 0, 223, 3.44e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0133, 0.25, 0.141, 0, 446, 6.87e+03},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00849, 0, 0, 0.0236, 0, 236},
        [CNNBLAS_BACKWARD_DATA] = {0.00918, 0, 0, 0.0323, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0133, 0.204, 0, 0.0496, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.017, 0, 0, 0.0473, 0, 471},
        [CNNBLAS_BACKWARD_DATA] = {0.0184, 0, 0, 0.0647, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0267, 0.408, 0, 0.0992, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0114, 0, 0.0791, 0.767, 3.1e+03, 1.31e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0133, 0, 0.163, 0.0458, 1.71e+03, 1.03e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0108, 0, 0.0923, 0.156, 4.94e+03, 1.16e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0229, 0, 0.158, 1.53, 6.2e+03, 2.63e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0266, 0, 0.326, 0.0916, 3.42e+03, 2.07e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0216, 0, 0.185, 0.312, 9.89e+03, 2.31e+04},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0154, 0, 0.0669, 2.96, 5.7e+03, 732},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0309, 0, 0.134, 5.92, 1.14e+04, 1.46e+03},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0308, 0, 0.105, 1.17, 0, 1.6e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.026, 0, 0.209, 0.851, 0, 1.54e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0511, 0, 0.141, 7.49, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0617, 0, 0.21, 2.35, 0, 3.21e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.052, 0, 0.418, 1.7, 0, 3.09e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.102, 0, 0.281, 15, 0, 0},
      },
    },
    [CB_COST_DEPTHWISE_3X3] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00243, 0, 0.0915, 2.15, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0, 0, 0.114, 2.12, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00564, 0, 0.0907, 11.3, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.00486, 0, 0.183, 4.31, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0, 0, 0.228, 4.24, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0113, 0, 0.181, 22.6, 0, 0},
      },
    },
  }},
};
/* clang-format on */

#endif
