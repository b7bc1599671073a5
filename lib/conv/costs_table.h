/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx512-sapphire_rapids.json: 1730 samples
 */
#ifndef CB_CONV_COSTS_TABLE_H
#define CB_CONV_COSTS_TABLE_H

#include "conv/work.h"
#include <cnnblas/conv.h>

/* clang-format off */

/* Levels that were timed; the others take the nearest. */
static const struct {
  const char *level;
  double nanoseconds[CB_COST_ROWS_OF_TABLE][2][3][CB_WORK_KINDS]; /* mac, store, read, weights, calls, once */
} tables[] = {
  {"avx512", {
    [CB_COST_ROWS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0063, 0.538, 0.176, 0.0942, 380, 1.97e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00686, 0.234, 0.423, 0.137, 1.99e+03, 9.82e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0126, 1.08, 0.352, 0.188, 759, 3.93e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0137, 0.468, 0.846, 0.275, 3.99e+03, 1.96e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00697, 0.123, 0.0112, 0, 1.92e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00734, 0.143, 0, 2.21, 4.03e+03, 8.96e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0139, 0.247, 0.0224, 0, 3.84e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0147, 0.286, 0, 4.42, 8.06e+03, 1.79e+04},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00825, 0, 0, 0.351, 1.89e+03, 1.87e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00786, 0, 0, 0.92, 1.92e+03, 2.05e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0165, 0, 0, 0.701, 3.78e+03, 3.75e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0157, 0, 0, 1.84, 3.83e+03, 4.1e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0113, 0.0977, 0, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0122, 0, 0.675, 0, 0, 1.28e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00546, 0.0334, 0.111, 0, 0, 2.74e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0225, 0.195, 0, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0243, 0, 1.35, 0, 0, 2.55e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0109, 0.0669, 0.223, 0, 0, 5.48e+03},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00593, 0.213, 0.216, 0, 996, 1.76e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0119, 0.426, 0.433, 0, 1.99e+03, 3.53e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00721, 0.13, 0.0905, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0144, 0.26, 0.181, 0, 0, 0},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0104, 0, 0, 0.0249, 0, 126},
        [CNNBLAS_BACKWARD_DATA] = {0.0111, 0, 0, 0.0386, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0148, 0.198, 0, 0.0979, 1.28e+03, 4.85e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0208, 0, 0, 0.0498, 0, 253},
        [CNNBLAS_BACKWARD_DATA] = {0.0222, 0, 0, 0.0772, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0296, 0.396, 0, 0.196, 2.56e+03, 9.69e+03},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00849, 0, 0.646, 0.0139, 0, 559},
        [CNNBLAS_BACKWARD_DATA] = {0.0106, 0, 0.56, 0.00881, 0, 790},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00596, 0, 0.532, 0.213, 198, 7.71e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.017, 0, 1.29, 0.0279, 0, 1.12e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0213, 0, 1.12, 0.0176, 0, 1.58e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0119, 0, 1.06, 0.426, 396, 1.54e+05},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0267, 0, 0.183, 3.88, 810, 3.13e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0534, 0, 0.366, 7.77, 1.62e+03, 6.25e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0309, 0, 0.0982, 1.01, 0, 6.21e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0305, 0, 0.158, 0.626, 0, 2.08e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0547, 0, 0.102, 5.89, 0, 1.83e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0619, 0, 0.196, 2.01, 0, 1.24e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0611, 0, 0.317, 1.25, 0, 4.17e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.109, 0, 0.203, 11.8, 0, 3.66e+04},
      },
    },
    [CB_COST_DEPTHWISE_3X3] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.000623, 0, 0.0974, 2.1, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0, 0, 0.108, 2.16, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00339, 0, 0.0959, 11.4, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.00125, 0, 0.195, 4.2, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0, 0, 0.217, 4.31, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00678, 0, 0.192, 22.9, 0, 0},
      },
    },
  }},
};
/* clang-format on */

#endif
