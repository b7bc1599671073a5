/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx2-sapphire_rapids.json: 2448 samples
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
        [CNNBLAS_FORWARD] = {0.0128, 0.544, 0.128, 0.153, 975, 2.81e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0135, 0.63, 0.0176, 0.259, 1.12e+03, 8.51e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0256, 1.09, 0.257, 0.307, 1.95e+03, 5.62e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0271, 1.26, 0.0352, 0.518, 2.23e+03, 1.7e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0127, 0.327, 0.133, 0, 2.6e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0149, 0.181, 0.536, 1.45, 3.24e+03, 1.39e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0253, 0.655, 0.266, 0, 5.19e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0299, 0.362, 1.07, 2.89, 6.49e+03, 2.78e+04},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0129, 0, 0, 0.156, 5.75e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0143, 0, 0, 0.612, 2.5e+03, 4.8e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0257, 0, 0, 0.311, 1.15e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0286, 0, 0, 1.22, 5e+03, 9.61e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0187, 0, 0.906, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0212, 0.22, 0.541, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0102, 0.617, 0.204, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0374, 0, 1.81, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0424, 0.44, 1.08, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0204, 1.23, 0.408, 0, 0, 0},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0112, 0, 0.34, 0.224, 652, 3.65e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0109, 0.000758, 0.336, 0.544, 566, 7.04e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0225, 0, 0.679, 0.448, 1.3e+03, 7.3e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0218, 0.00152, 0.671, 1.09, 1.13e+03, 1.41e+04},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0108, 0.278, 0.304, 0, 388, 2.26e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0216, 0.557, 0.609, 0, 776, 4.51e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0118, 0.137, 0.134, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0236, 0.273, 0.268, 0, 0, 0},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0143, 0.107, 0.0812, 0.0259, 0, 4.49e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0144, 0.00453, 0.221, 0.0297, 1.18e+03, 252},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0175, 0.218, 0.0651, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0287, 0.213, 0.162, 0.0519, 0, 8.97e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0288, 0.00906, 0.441, 0.0594, 2.35e+03, 505},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0351, 0.437, 0.13, 0, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0129, 0, 0.204, 0.0676, 178, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0166, 0, 0.202, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.012, 0, 0.533, 0.063, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0258, 0, 0.407, 0.135, 356, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0332, 0, 0.404, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0241, 0, 1.07, 0.126, 0, 0},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0325, 0, 0.265, 3.52, 1.75e+03, 3.55e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.065, 0, 0.53, 7.04, 3.51e+03, 7.09e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0324, 0.508, 0, 4.66, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0374, 0, 0.3, 0, 0, 7.24e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0502, 0, 0, 0, 0, 2.63e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0647, 1.02, 0, 9.32, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0747, 0, 0.6, 0, 0, 1.45e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.1, 0, 0, 0, 0, 5.27e+03},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0142, 0, 0.12, 0.892, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0155, 0.0857, 0.0181, 0.85, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0206, 0, 0.112, 0.882, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0284, 0, 0.239, 1.78, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0309, 0.171, 0.0362, 1.7, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0412, 0, 0.225, 1.76, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0233, 0.123, 0.237, 0.843, 0, 5.78e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.035, 0, 0, 0, 0, 1.85e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0466, 0.247, 0.474, 1.69, 0, 1.16e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.07, 0, 0, 0, 0, 3.71e+04},
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
        [CNNBLAS_FORWARD] = {0.00767, 0, 0.213, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0071, 0, 0.384, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0131, 0.118, 0.0836, 0.143, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0153, 0, 0.425, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0142, 0, 0.769, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0262, 0.236, 0.167, 0.285, 0, 0},
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
