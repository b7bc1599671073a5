/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx2-sapphire_rapids.json: 2157 samples
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
  {"avx2", "Haswell", {
    [CB_COST_ROWS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0133, 0.615, 0.0785, 0.17, 779, 3.14e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0139, 0.775, 0, 0.273, 831, 8.72e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0266, 1.23, 0.157, 0.34, 1.56e+03, 6.27e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0279, 1.55, 0, 0.547, 1.66e+03, 1.74e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0122, 0, 1.4, 0, 1.78e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0143, 1.14, 0.32, 0.0735, 3.28e+03, 1.46e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0244, 0, 2.8, 0, 3.57e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0286, 2.29, 0.641, 0.147, 6.57e+03, 2.93e+03},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0134, 0, 0, 0.147, 5.26e+03, 726},
        [CNNBLAS_BACKWARD_DATA] = {0.0158, 0, 0, 0.63, 2.38e+03, 6.42e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0267, 0, 0, 0.294, 1.05e+04, 1.45e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0317, 0, 0, 1.26, 4.76e+03, 1.28e+04},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0186, 0, 1.16, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.022, 0.668, 0.431, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0105, 1.86, 0.186, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0372, 0, 2.31, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.044, 1.34, 0.863, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0211, 3.73, 0.371, 0, 0, 0},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0114, 0, 0.427, 0.214, 502, 3.53e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0108, 0.0217, 0.445, 0.798, 1.02e+03, 4.26e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0227, 0, 0.854, 0.429, 1e+03, 7.07e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0216, 0.0435, 0.89, 1.6, 2.03e+03, 8.53e+03},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0113, 0.3, 0.319, 0, 406, 2.42e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0226, 0.6, 0.639, 0, 813, 4.84e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0123, 0.169, 0.152, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0246, 0.338, 0.303, 0, 0, 0},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0133, 0.344, 0, 0.136, 5.61e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0139, 0.285, 0, 0.139, 0, 1.73e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0198, 0.22, 0, 0.0592, 884, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0266, 0.687, 0, 0.271, 1.12e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0277, 0.57, 0, 0.278, 0, 3.47e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0396, 0.441, 0, 0.118, 1.77e+03, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0127, 0, 0.212, 0.127, 245, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0156, 0, 0.273, 0.106, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.011, 0, 0.574, 0.126, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0253, 0, 0.423, 0.253, 489, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0313, 0, 0.546, 0.212, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0219, 0, 1.15, 0.252, 0, 0},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0332, 0, 0.323, 3.63, 820, 3.06e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0664, 0, 0.646, 7.27, 1.64e+03, 6.12e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0569, 0, 0.125, 0, 0, 9.69e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0704, 0, 0.0787, 0, 0, 1.59e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0788, 0, 0.122, 2.53, 0, 1.81e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.114, 0, 0.251, 0, 0, 1.94e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.141, 0, 0.157, 0, 0, 3.18e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.158, 0, 0.244, 5.06, 0, 3.61e+04},
      },
    },
    [CB_COST_DEPTHWISE_3X3] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00961, 0, 0.126, 1.44, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0, 0, 0.182, 1.24, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0054, 0, 0.147, 3.96, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0192, 0, 0.251, 2.87, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0, 0, 0.364, 2.48, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0108, 0, 0.295, 7.93, 0, 0},
      },
    },
  }},
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
