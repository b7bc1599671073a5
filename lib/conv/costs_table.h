/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx2-sapphire_rapids.json: 2448 samples
 *   bench/calibration/avx2-zen4.json: 2728 samples
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
        [CNNBLAS_FORWARD] = {0.0133, 0.995, 0.104, 0.157, 890, 2.68e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0141, 1.04, 0.0191, 0.308, 1.05e+03, 1.06e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0266, 1.99, 0.208, 0.315, 1.78e+03, 5.36e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0283, 2.07, 0.0383, 0.616, 2.11e+03, 2.11e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0127, 0.638, 0.0888, 0, 3.97e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0183, 0.5, 0.294, 0, 4.53e+03, 2.8e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0254, 1.28, 0.178, 0, 7.94e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0367, 1, 0.588, 0, 9.07e+03, 5.61e+04},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.014, 0, 0, 0.229, 6.45e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0166, 0, 0, 0.238, 3.48e+03, 5.77e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.028, 0, 0, 0.458, 1.29e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0332, 0, 0, 0.477, 6.96e+03, 1.15e+04},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0194, 0, 1.3, 0, 0, 3.39e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0219, 0.558, 0.502, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0105, 1.95, 0.21, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0388, 0, 2.6, 0, 0, 6.79e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0438, 1.12, 1, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.021, 3.9, 0.42, 0, 0, 0},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0115, 0, 0.398, 0.303, 953, 3.41e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0113, 0.000263, 0.369, 0.644, 1.41e+03, 6.86e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.023, 0, 0.796, 0.606, 1.91e+03, 6.81e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0225, 0.000526, 0.738, 1.29, 2.83e+03, 1.37e+04},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0116, 0.291, 0.351, 0, 493, 2.59e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0233, 0.582, 0.702, 0, 986, 5.19e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0123, 0.124, 0.156, 0, 0, 715},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0246, 0.249, 0.311, 0, 0, 1.43e+03},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0141, 0.415, 0.0269, 0.0517, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0145, 0.121, 0.28, 0.0429, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0187, 0.386, 0.0313, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0282, 0.83, 0.0538, 0.103, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0289, 0.242, 0.559, 0.0859, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0374, 0.772, 0.0625, 0, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0132, 0, 0.244, 0.073, 266, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0139, 0, 0.31, 0.0782, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0127, 0, 0.395, 0.0996, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0265, 0, 0.488, 0.146, 532, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0277, 0, 0.621, 0.156, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0254, 0, 0.789, 0.199, 0, 0},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0352, 0, 0.251, 3.39, 6.8e+03, 3.57e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0705, 0, 0.503, 6.77, 1.36e+04, 7.15e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.041, 0.164, 0, 5.35, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0408, 0, 0.329, 0, 0, 7.63e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0511, 0, 0, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0819, 0.329, 0, 10.7, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0817, 0, 0.659, 0, 0, 1.53e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.102, 0, 0, 0, 0, 0},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0161, 0, 0.139, 0.9, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0178, 0.114, 0, 0.858, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0196, 0, 0.164, 1.1, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0323, 0, 0.279, 1.8, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0356, 0.228, 0, 1.72, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0392, 0, 0.328, 2.21, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0281, 0.0886, 0.281, 4.56, 0, 4.85e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0399, 0, 0, 0, 0, 2.76e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0563, 0.177, 0.562, 9.12, 0, 9.7e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0799, 0, 0, 0, 0, 5.52e+04},
      },
    },
    [CB_COST_WINOGRAD] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0143, 0.0544, 0.649, 0.138, 0, 1.89e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.014, 0.424, 0.182, 0.207, 0, 3.65e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0287, 0.109, 1.3, 0.275, 0, 3.79e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.028, 0.849, 0.365, 0.414, 0, 7.3e+03},
      },
    },
    [CB_COST_WINOGRAD_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0111, 0.762, 0.335, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0222, 1.52, 0.669, 0, 0, 0},
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
