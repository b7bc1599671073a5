/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx2-sapphire_rapids.json: 2448 samples
 *   bench/calibration/avx2-zen4.json: 2448 samples
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
        [CNNBLAS_FORWARD] = {0.0129, 0.768, 0.135, 0.146, 926, 2.98e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0136, 0.823, 0.0618, 0.284, 1.24e+03, 9.56e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0258, 1.54, 0.27, 0.292, 1.85e+03, 5.97e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0272, 1.65, 0.124, 0.568, 2.48e+03, 1.91e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0126, 0.626, 0.039, 0, 4.46e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0161, 0.409, 0.555, 0, 3.85e+03, 1.06e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0252, 1.25, 0.0779, 0, 8.92e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0321, 0.817, 1.11, 0, 7.71e+03, 2.11e+04},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0134, 0, 0, 0.21, 6.33e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0163, 0, 0, 0.219, 3.06e+03, 4.97e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0269, 0, 0, 0.42, 1.27e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0326, 0, 0, 0.437, 6.11e+03, 9.94e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0191, 0.00163, 1.26, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0212, 0.478, 0.508, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0103, 0.469, 0.224, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0382, 0.00326, 2.52, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0424, 0.956, 1.02, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0205, 0.938, 0.448, 0, 0, 0},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0112, 0, 0.392, 0.275, 821, 3.44e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0109, 0.0102, 0.375, 0.583, 976, 7.18e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0224, 0, 0.785, 0.55, 1.64e+03, 6.87e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0217, 0.0204, 0.751, 1.17, 1.95e+03, 1.44e+04},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0111, 0.278, 0.343, 0, 453, 2.42e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0223, 0.556, 0.686, 0, 906, 4.84e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0121, 0.121, 0.143, 0, 0, 759},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0243, 0.243, 0.286, 0, 0, 1.52e+03},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0139, 0.253, 0.065, 0.0483, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0142, 0.17, 0.161, 0.0462, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0184, 0.323, 0.0326, 0, 2.74e+03, 3.36e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0278, 0.506, 0.13, 0.0965, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0284, 0.34, 0.321, 0.0923, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0367, 0.647, 0.0653, 0, 5.47e+03, 6.71e+03},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0131, 0, 0.235, 0.067, 415, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0134, 0, 0.302, 0.0725, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0124, 0, 0.405, 0.0928, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0262, 0, 0.469, 0.134, 830, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0269, 0, 0.604, 0.145, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0248, 0, 0.81, 0.186, 0, 0},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0334, 0, 0.251, 3.29, 4.64e+03, 4.25e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0669, 0, 0.503, 6.58, 9.29e+03, 8.49e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0371, 0.403, 0, 5.02, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0403, 0, 0.342, 0, 0, 7.5e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0519, 0, 0, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0743, 0.806, 0, 10, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0807, 0, 0.685, 0, 0, 1.5e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.104, 0, 0, 0, 0, 0},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0164, 0, 0.141, 0.895, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0177, 0.121, 0, 0.856, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0208, 0, 0.162, 1.01, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0327, 0, 0.282, 1.79, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0354, 0.242, 0, 1.71, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0416, 0, 0.324, 2.01, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0258, 0.105, 0.343, 2.87, 0, 5.13e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0363, 0, 0.103, 0, 0, 2.89e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0515, 0.21, 0.687, 5.74, 0, 1.03e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0727, 0, 0.206, 0, 0, 5.78e+04},
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
