/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx2-sapphire_rapids.json: 2448 samples
 *   bench/calibration/avx2-zen4.json: 3003 samples
 *   bench/calibration/avx512-sapphire_rapids.json: 2328 samples
 *   bench/calibration/avx512-zen5.json: 2880 samples
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
        [CNNBLAS_FORWARD] = {0.0141, 0.961, 0.115, 0.163, 1.25e+03, 2.99e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.015, 1.1, 0.1, 0.304, 912, 9.45e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0281, 1.92, 0.23, 0.326, 2.5e+03, 5.99e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0301, 2.2, 0.201, 0.607, 1.82e+03, 1.89e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0139, 0.654, 0, 0, 5e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.018, 0.232, 0.714, 0.821, 4.25e+03, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0277, 1.31, 0, 0, 1e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.036, 0.464, 1.43, 1.64, 8.51e+03, 0},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0144, 0, 0, 0.244, 6.56e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0165, 0, 0, 0.432, 3.68e+03, 5.86e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0288, 0, 0, 0.487, 1.31e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0331, 0, 0, 0.863, 7.36e+03, 1.17e+04},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.02, 0.147, 1.31, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0233, 0.775, 0.523, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0112, 1.05, 0.228, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0401, 0.293, 2.63, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0465, 1.55, 1.05, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0224, 2.1, 0.456, 0, 0, 0},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0119, 0.0101, 0.38, 0.265, 1.26e+03, 3.96e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0115, 0.000653, 0.414, 0.602, 1.25e+03, 6.88e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0238, 0.0202, 0.76, 0.529, 2.52e+03, 7.92e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.023, 0.00131, 0.829, 1.2, 2.5e+03, 1.38e+04},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0119, 0.321, 0.445, 0, 151, 133},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0239, 0.642, 0.89, 0, 302, 266},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0125, 0.124, 0.171, 0, 14.1, 422},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.025, 0.249, 0.343, 0, 28.2, 844},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0143, 0.423, 0.0571, 0.0425, 257, 50.7},
        [CNNBLAS_BACKWARD_DATA] = {0.0149, 0.153, 0.234, 0.0306, 197, 31.8},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0186, 0.312, 0.0755, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0286, 0.845, 0.114, 0.0851, 515, 101},
        [CNNBLAS_BACKWARD_DATA] = {0.0298, 0.307, 0.467, 0.0612, 394, 63.6},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0373, 0.623, 0.151, 0, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0143, 0, 0.255, 0.0419, 308, 23.9},
        [CNNBLAS_BACKWARD_DATA] = {0.0149, 0, 0.33, 0.0355, 163, 39.4},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0136, 0, 0.414, 0.089, 0, 154},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0286, 0, 0.51, 0.0838, 617, 47.7},
        [CNNBLAS_BACKWARD_DATA] = {0.0299, 0, 0.659, 0.071, 325, 78.7},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0272, 0, 0.828, 0.178, 0, 309},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0359, 0, 0.313, 3.48, 3.06e+03, 4.73e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0718, 0, 0.625, 6.97, 6.11e+03, 9.46e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0333, 0.861, 0, 2.69, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0404, 0, 0.647, 0, 0, 5.53e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0428, 0, 0, 0, 0, 3.94e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0666, 1.72, 0, 5.38, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0808, 0, 1.29, 0, 0, 1.11e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0856, 0, 0, 0, 0, 7.88e+03},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0161, 0, 0.135, 0.898, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0169, 0.0998, 0.0329, 0.866, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0247, 0, 0.12, 1.26, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0323, 0, 0.271, 1.8, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0339, 0.2, 0.0657, 1.73, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0494, 0, 0.239, 2.51, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0284, 0.273, 0.133, 3.76, 0, 4.08e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0429, 0, 0, 0, 0, 2.78e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0569, 0.545, 0.267, 7.52, 0, 8.15e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0859, 0, 0, 0, 0, 5.57e+04},
      },
    },
    [CB_COST_WINOGRAD] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0137, 0.309, 0, 0.163, 3.01e+03, 3.82e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0128, 0, 0.343, 0.36, 2.57e+03, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0273, 0.619, 0, 0.325, 6.01e+03, 7.65e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0256, 0, 0.686, 0.721, 5.13e+03, 0},
      },
    },
    [CB_COST_WINOGRAD_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00959, 0.721, 0.475, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0192, 1.44, 0.949, 0, 0, 0},
      },
    },
  }},
  {"avx512", "SkylakeX", {
    [CB_COST_ROWS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00586, 0.637, 0.0361, 0.0829, 0, 2.02e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00675, 0.326, 0.246, 0.125, 61.9, 6.65e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0117, 1.27, 0.0722, 0.166, 0, 4.05e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0135, 0.652, 0.492, 0.25, 124, 1.33e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00614, 0.126, 0.0481, 0, 3.35e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00746, 0.205, 0.129, 1.58, 5.25e+03, 4.18e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0123, 0.252, 0.0961, 0, 6.7e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0149, 0.409, 0.258, 3.16, 1.05e+04, 8.37e+04},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00721, 0, 0, 0.344, 2.23e+03, 1.44e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00693, 0, 0, 0.757, 1.82e+03, 3.24e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0144, 0, 0, 0.688, 4.47e+03, 2.89e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0139, 0, 0, 1.51, 3.64e+03, 6.47e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00984, 0.127, 0.272, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0111, 0, 0.594, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00518, 0.0662, 0.113, 0, 0, 2.78e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0197, 0.255, 0.545, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0221, 0, 1.19, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0104, 0.132, 0.226, 0, 0, 5.56e+03},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00543, 0.0151, 0.301, 0.519, 505, 1.45e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00552, 0.0038, 0.284, 0.639, 1.76e+03, 2.81e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0109, 0.0301, 0.601, 1.04, 1.01e+03, 2.9e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.011, 0.0076, 0.568, 1.28, 3.53e+03, 5.63e+03},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00569, 0.193, 0.176, 0, 1.33e+03, 1.5e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0114, 0.387, 0.352, 0, 2.65e+03, 3.01e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00661, 0.112, 0.103, 0, 37.4, 141},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0132, 0.224, 0.206, 0, 74.8, 282},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00743, 0, 0.147, 0, 211, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00747, 0, 0.261, 0, 59.7, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0151, 0.186, 0, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0149, 0, 0.294, 0, 423, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0149, 0, 0.521, 0, 119, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0302, 0.373, 0, 0, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00745, 0, 0.263, 0, 217, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00785, 0, 0.255, 0, 64.2, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00744, 0, 0.286, 0.0542, 8.6, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0149, 0, 0.526, 0, 433, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0157, 0, 0.511, 0, 128, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0149, 0, 0.572, 0.108, 17.2, 0},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0238, 0, 0.17, 3.02, 1.07e+04, 1.16e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0475, 0, 0.341, 6.04, 2.15e+04, 2.31e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0222, 0, 0, 0, 0, 2.19e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0208, 0, 0.3, 0, 0, 4.26e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0218, 0, 0, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0444, 0, 0, 0, 0, 4.39e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0416, 0, 0.601, 0, 0, 8.52e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0436, 0, 0, 0, 0, 0},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00853, 0.00606, 0.0879, 0.381, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00828, 0.105, 0, 0.415, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00843, 0, 0.0946, 0.86, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0171, 0.0121, 0.176, 0.762, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0166, 0.211, 0, 0.83, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0169, 0, 0.189, 1.72, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0117, 0.19, 0, 0, 0, 3.51e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0156, 0, 0, 4.99, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0233, 0.381, 0, 0, 0, 7.02e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0312, 0, 0, 9.98, 0, 0},
      },
    },
    [CB_COST_WINOGRAD] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00833, 0.172, 0, 0.123, 1.09e+03, 6.45e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00924, 0.000817, 0.134, 0.0942, 832, 1.18e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0167, 0.345, 0, 0.246, 2.19e+03, 1.29e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0185, 0.00163, 0.268, 0.188, 1.66e+03, 2.35e+04},
      },
    },
    [CB_COST_WINOGRAD_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00317, 0.47, 0.377, 0, 0, 6.01e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00633, 0.941, 0.754, 0, 0, 1.2e+04},
      },
    },
  }},
};
/* clang-format on */

#endif
