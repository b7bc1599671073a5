/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx2-sapphire_rapids.json: 2448 samples
 *   bench/calibration/avx2-zen4.json: 3003 samples
 *   bench/calibration/avx512-sapphire_rapids.json: 2328 samples
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
        [CNNBLAS_FORWARD] = {0.00621, 0.527, 0.0651, 0.0808, 143, 2.08e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00684, 0.267, 0.225, 0.121, 1.29e+03, 1.14e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0124, 1.05, 0.13, 0.162, 286, 4.16e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0137, 0.533, 0.451, 0.242, 2.59e+03, 2.29e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00637, 0.211, 0.0195, 0, 2.08e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00834, 0.32, 0, 0, 2.88e+03, 2.54e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0127, 0.423, 0.039, 0, 4.17e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0167, 0.64, 0, 0, 5.76e+03, 5.08e+04},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00766, 0, 0, 0.28, 1.84e+03, 1.71e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00738, 0, 0, 0.936, 1.56e+03, 1.73e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0153, 0, 0, 0.561, 3.68e+03, 3.42e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0148, 0, 0, 1.87, 3.12e+03, 3.45e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0105, 0.0863, 0.219, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0116, 0, 0.644, 0, 0, 1.66e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0054, 0, 0.113, 0, 0, 2.33e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.021, 0.173, 0.439, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0233, 0, 1.29, 0, 0, 3.32e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0108, 0, 0.226, 0, 0, 4.67e+03},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00592, 0.00515, 0.261, 0.381, 443, 1.79e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00583, 0.0255, 0.279, 0.562, 517, 4.16e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0118, 0.0103, 0.522, 0.762, 885, 3.58e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0117, 0.051, 0.558, 1.12, 1.03e+03, 8.32e+03},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00562, 0.191, 0.19, 0, 1.52e+03, 1.17e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0112, 0.382, 0.38, 0, 3.03e+03, 2.35e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00691, 0.107, 0.0931, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0138, 0.214, 0.186, 0, 0, 0},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00777, 0, 0.159, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00703, 0, 0.401, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0133, 0.138, 0.0783, 0.117, 0, 472},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0155, 0, 0.319, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0141, 0, 0.803, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0266, 0.275, 0.157, 0.233, 0, 944},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00793, 0, 0.251, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00932, 0, 0.248, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00671, 0, 0.343, 0.0983, 0, 5.72e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0159, 0, 0.502, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0186, 0, 0.496, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0134, 0, 0.686, 0.197, 0, 1.14e+05},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0255, 0, 0.158, 3.34, 813, 2.87e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0509, 0, 0.315, 6.68, 1.63e+03, 5.73e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0249, 0, 0, 0, 0, 1.31e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0232, 0, 0.184, 0, 0, 5.58e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0219, 0, 0, 0, 0, 131},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0499, 0, 0, 0, 0, 2.62e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0463, 0, 0.369, 0, 0, 1.12e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0438, 0, 0, 0, 0, 262},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00831, 0.0142, 0.0606, 0.451, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00799, 0.0853, 0, 0.516, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0085, 0.00154, 0.0841, 0.872, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0166, 0.0284, 0.121, 0.902, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.016, 0.171, 0, 1.03, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.017, 0.00308, 0.168, 1.74, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0115, 0.177, 0, 0, 0, 3.63e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0161, 0, 0, 4.65, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0231, 0.355, 0, 0, 0, 7.27e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0321, 0, 0, 9.29, 0, 0},
      },
    },
  }},
};
/* clang-format on */

#endif
