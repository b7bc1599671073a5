/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx2-sapphire_rapids.json: 2448 samples
 *   bench/calibration/avx2-zen4.json: 3003 samples
 *   bench/calibration/avx2-zen5-planes.json: 1169 samples
 *   bench/calibration/avx512-sapphire_rapids.json: 2328 samples
 *   bench/calibration/avx512-zen5-planes.json: 1106 samples
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
        [CNNBLAS_FORWARD] = {0.0138, 1.02, 0.122, 0.164, 1.18e+03, 2.47e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.015, 1.13, 0.0633, 0.293, 795, 9.33e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0275, 2.04, 0.244, 0.328, 2.37e+03, 4.94e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0301, 2.26, 0.127, 0.587, 1.59e+03, 1.87e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0137, 0.54, 0.318, 0, 5.3e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0172, 0.562, 0.835, 0, 3.56e+03, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0274, 1.08, 0.636, 0, 1.06e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0344, 1.12, 1.67, 0, 7.12e+03, 0},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0143, 0, 0, 0.227, 6.56e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.016, 0, 0, 0.454, 3.3e+03, 5.74e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0286, 0, 0, 0.454, 1.31e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0319, 0, 0, 0.908, 6.59e+03, 1.15e+04},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0201, 0.26, 1.1, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0234, 0.652, 0.559, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0109, 1.89, 0.206, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0402, 0.521, 2.2, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0468, 1.3, 1.12, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0218, 3.78, 0.412, 0, 0, 0},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0114, 0.034, 0.391, 0.266, 1.38e+03, 3.21e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0109, 0.0164, 0.462, 0.663, 1.01e+03, 5.6e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0229, 0.068, 0.781, 0.532, 2.76e+03, 6.43e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0218, 0.0328, 0.924, 1.33, 2.03e+03, 1.12e+04},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0118, 0.316, 0.499, 0, 156, 97.4},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0236, 0.632, 0.998, 0, 313, 195},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0122, 0.119, 0.177, 0, 11, 394},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0243, 0.238, 0.353, 0, 21.9, 788},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0145, 0.366, 0.0641, 0.0403, 226, 47.5},
        [CNNBLAS_BACKWARD_DATA] = {0.015, 0.14, 0.211, 0.0273, 174, 30.6},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0191, 0.277, 0.0624, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.029, 0.732, 0.128, 0.0806, 452, 95},
        [CNNBLAS_BACKWARD_DATA] = {0.03, 0.279, 0.422, 0.0545, 348, 61.1},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0381, 0.554, 0.125, 0, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.014, 0, 0.284, 0.0372, 316, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0149, 0, 0.307, 0.0321, 149, 30.3},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0134, 0, 0.431, 0.0913, 0, 113},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0281, 0, 0.568, 0.0744, 633, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0298, 0, 0.614, 0.0643, 298, 60.6},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0268, 0, 0.861, 0.183, 0, 226},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0351, 0, 0.541, 3.57, 887, 3.56e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0703, 0, 1.08, 7.13, 1.77e+03, 7.13e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0325, 0.854, 0, 2.53, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0404, 0, 0.591, 0, 0, 5.51e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0425, 0, 0.822, 0, 0, 2.35e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0649, 1.71, 0, 5.06, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0808, 0, 1.18, 0, 0, 1.1e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0849, 0, 1.64, 0, 0, 4.7e+03},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0145, 0.0272, 0.137, 0.675, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0155, 0.129, 0.0278, 0.663, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0227, 0, 0.146, 1.27, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0289, 0.0544, 0.273, 1.35, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0311, 0.257, 0.0557, 1.33, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0454, 0, 0.293, 2.54, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0272, 0.254, 0.159, 2.86, 0, 4.68e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0417, 0, 0, 0, 0, 2.88e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0544, 0.508, 0.317, 5.72, 0, 9.37e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0833, 0, 0, 0, 0, 5.76e+04},
      },
    },
    [CB_COST_STRIPS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0147, 0.0296, 0.0815, 9.94, 0, 6.31e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0128, 0.0508, 0.0774, 7.95, 0, 1.32e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0293, 0.0592, 0.163, 19.9, 0, 1.26e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0257, 0.102, 0.155, 15.9, 0, 2.65e+03},
      },
    },
    [CB_COST_WINOGRAD] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0126, 0.228, 0.111, 0.178, 2.28e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0106, 0.187, 0.321, 0.368, 924, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0252, 0.457, 0.223, 0.357, 4.56e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0212, 0.374, 0.642, 0.736, 1.85e+03, 0},
      },
    },
    [CB_COST_WINOGRAD_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0104, 0.611, 0.403, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0208, 1.22, 0.806, 0, 0, 0},
      },
    },
  }},
  {"avx512", "SkylakeX", {
    [CB_COST_ROWS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00567, 0.696, 0.0359, 0.0851, 0, 1.52e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0068, 0.291, 0.293, 0.124, 11.6, 6.27e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0113, 1.39, 0.0718, 0.17, 0, 3.04e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0136, 0.583, 0.586, 0.247, 23.2, 1.25e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00593, 0.102, 0.265, 0, 2.64e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00784, 0.221, 0.258, 1.52, 3.18e+03, 2.62e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0119, 0.204, 0.53, 0, 5.28e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0157, 0.442, 0.516, 3.05, 6.35e+03, 5.25e+04},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00712, 0, 0, 0.295, 2.12e+03, 1.81e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00689, 0, 0, 0.741, 1.92e+03, 2.67e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0142, 0, 0, 0.591, 4.24e+03, 3.61e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0138, 0, 0, 1.48, 3.83e+03, 5.35e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00975, 0.0837, 0.296, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.011, 0, 0.541, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00514, 0.502, 0.102, 0, 0, 1.52e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0195, 0.167, 0.592, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.022, 0, 1.08, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0103, 1, 0.205, 0, 0, 3.04e+03},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00532, 0.0112, 0.323, 0.481, 519, 1.58e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00532, 0.0228, 0.312, 0.686, 819, 2.92e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0106, 0.0224, 0.647, 0.961, 1.04e+03, 3.16e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0106, 0.0456, 0.623, 1.37, 1.64e+03, 5.85e+03},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00575, 0.19, 0.192, 0, 1.58e+03, 1.09e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0115, 0.381, 0.384, 0, 3.16e+03, 2.17e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00634, 0.106, 0.106, 0, 33.4, 128},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0127, 0.213, 0.211, 0, 66.7, 256},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00735, 0, 0.153, 0, 175, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00733, 0, 0.278, 0, 46.6, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0152, 0.164, 0, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0147, 0, 0.306, 0, 349, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0147, 0, 0.555, 0, 93.2, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0304, 0.329, 0, 0, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00768, 0, 0.258, 0, 177, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00788, 0, 0.254, 0, 49.1, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00736, 0, 0.335, 0.0539, 0.0222, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0154, 0, 0.516, 0, 353, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0158, 0, 0.508, 0, 98.3, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0147, 0, 0.67, 0.108, 0.0444, 0},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0237, 0, 0.274, 3.08, 1.67e+03, 1.43e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0473, 0, 0.548, 6.16, 3.34e+03, 2.86e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0204, 0, 0, 0, 0, 2.45e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.022, 0, 0.246, 0, 0, 3.72e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0245, 0, 0.529, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0408, 0, 0, 0, 0, 4.91e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0441, 0, 0.491, 0, 0, 7.44e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0491, 0, 1.06, 0, 0, 0},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00829, 0.00903, 0.0912, 0.401, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00777, 0.116, 0, 0.39, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0081, 0, 0.0957, 0.913, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0166, 0.0181, 0.182, 0.803, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0155, 0.233, 0, 0.78, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0162, 0, 0.191, 1.83, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0119, 0.174, 0, 0, 0, 3.58e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0174, 0, 0, 5, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0239, 0.347, 0, 0, 0, 7.16e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0347, 0, 0, 10, 0, 0},
      },
    },
    [CB_COST_STRIPS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00922, 0.0125, 0.0407, 1.09, 0, 1.37e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0111, 0.00272, 0.0527, 1.45, 0, 1e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0184, 0.025, 0.0813, 2.18, 0, 2.74e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0222, 0.00544, 0.105, 2.9, 0, 2e+03},
      },
    },
    [CB_COST_WINOGRAD] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0072, 0.141, 0.0392, 0.156, 1.17e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00783, 0.105, 0.0553, 0.111, 1.22e+03, 4.75e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0144, 0.283, 0.0784, 0.311, 2.33e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0157, 0.209, 0.111, 0.223, 2.45e+03, 9.51e+03},
      },
    },
    [CB_COST_WINOGRAD_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00311, 0.384, 0.138, 0, 0, 1.12e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00623, 0.767, 0.276, 0, 0, 2.24e+04},
      },
    },
  }},
};
/* clang-format on */

#endif
