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
        [CNNBLAS_FORWARD] = {0.00585, 0.627, 0.0395, 0.0817, 0, 1.8e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00677, 0.243, 0.283, 0.123, 80.1, 6.99e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0117, 1.25, 0.0789, 0.163, 0, 3.6e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0135, 0.486, 0.566, 0.246, 160, 1.4e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.006, 0.116, 0.108, 0, 2.82e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00743, 0.219, 0.132, 1.49, 2.96e+03, 4.04e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.012, 0.232, 0.216, 0, 5.65e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0149, 0.437, 0.263, 2.98, 5.93e+03, 8.08e+04},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00715, 0, 0, 0.335, 2.22e+03, 1.41e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00694, 0, 0, 0.746, 1.81e+03, 3.21e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0143, 0, 0, 0.67, 4.43e+03, 2.81e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0139, 0, 0, 1.49, 3.62e+03, 6.43e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00976, 0.128, 0.272, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.011, 0, 0.586, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00532, 0, 0.113, 0, 0, 2.33e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0195, 0.256, 0.545, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.022, 0, 1.17, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0106, 0, 0.226, 0, 0, 4.65e+03},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00538, 0.0168, 0.293, 0.515, 509, 1.43e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00546, 0.0106, 0.295, 0.639, 813, 3.55e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0108, 0.0336, 0.585, 1.03, 1.02e+03, 2.87e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0109, 0.0212, 0.59, 1.28, 1.63e+03, 7.1e+03},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00573, 0.188, 0.157, 0, 1.55e+03, 1.29e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0115, 0.377, 0.315, 0, 3.1e+03, 2.59e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00653, 0.111, 0.102, 0, 38.4, 146},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0131, 0.221, 0.205, 0, 76.8, 293},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00736, 0, 0.146, 0, 202, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00745, 6.63e-05, 0.257, 0, 69.4, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0152, 0.175, 0.00221, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0147, 0, 0.293, 0, 404, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0149, 0.000133, 0.514, 0, 139, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0304, 0.351, 0.00442, 0, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00749, 0, 0.246, 0.00181, 204, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00795, 0, 0.227, 0, 70.9, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00732, 0, 0.278, 0.0589, 6.79, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.015, 0, 0.493, 0.00362, 408, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0159, 0, 0.455, 0, 142, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0146, 0, 0.557, 0.118, 13.6, 0},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0236, 0, 0.199, 2.96, 1.05e+03, 1.79e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0471, 0, 0.399, 5.93, 2.1e+03, 3.57e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0225, 0, 0, 0, 0, 1.94e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.021, 0, 0.275, 0, 0, 4.52e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.021, 0, 0, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0449, 0, 0, 0, 0, 3.88e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0419, 0, 0.551, 0, 0, 9.05e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0419, 0, 0, 0, 0, 0},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00851, 0.00669, 0.0869, 0.384, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00812, 0.107, 0, 0.391, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00835, 0.00539, 0.0888, 0.87, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.017, 0.0134, 0.174, 0.768, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0162, 0.214, 0, 0.782, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0167, 0.0108, 0.178, 1.74, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0117, 0.191, 0, 0, 0, 3.49e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0157, 0, 0, 4.91, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0233, 0.382, 0, 0, 0, 6.98e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0313, 0, 0, 9.82, 0, 0},
      },
    },
    [CB_COST_WINOGRAD] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00821, 0.168, 0, 0.122, 1.12e+03, 6.18e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0089, 0.0269, 0.11, 0.103, 988, 1.13e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0164, 0.337, 0, 0.244, 2.24e+03, 1.24e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0178, 0.0537, 0.22, 0.205, 1.98e+03, 2.25e+04},
      },
    },
    [CB_COST_WINOGRAD_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00672, 0.255, 0.00988, 0, 1.47e+04, 2.64e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0134, 0.511, 0.0198, 0, 2.94e+04, 5.27e+04},
      },
    },
  }},
};
/* clang-format on */

#endif
