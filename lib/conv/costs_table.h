/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx2-sapphire_rapids.json: 2448 samples
 *   bench/calibration/avx2-zen4.json: 3003 samples
 *   bench/calibration/avx2-zen5-planes.json: 1169 samples
 *   bench/calibration/avx2-zen5.json: 3396 samples
 *   bench/calibration/avx512-sapphire_rapids.json: 2328 samples
 *   bench/calibration/avx512-zen5-planes.json: 1106 samples
 *   bench/calibration/avx512-zen5.json: 3264 samples
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
        [CNNBLAS_FORWARD] = {0.0136, 0.545, 0.164, 0.123, 958, 2.59e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0137, 0.966, 0, 0.303, 563, 4.69e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0272, 1.09, 0.329, 0.246, 1.92e+03, 5.17e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0274, 1.93, 0, 0.607, 1.13e+03, 9.38e+03},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0123, 0.227, 1.41, 0, 2.98e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0121, 0.244, 2.06, 9.15, 2e+03, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0246, 0.453, 2.82, 0, 5.95e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0243, 0.487, 4.13, 18.3, 4e+03, 0},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0136, 0, 0.0118, 0.189, 6.2e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0157, 0, 0, 0.211, 3.22e+03, 4.38e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0271, 0, 0.0236, 0.378, 1.24e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0313, 0, 0, 0.421, 6.43e+03, 8.76e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0188, 0.438, 0.958, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0218, 0.709, 0.558, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0104, 2.25, 0.205, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0376, 0.875, 1.92, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0437, 1.42, 1.12, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0208, 4.5, 0.409, 0, 0, 0},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.011, 0.047, 0.482, 0.265, 1.48e+03, 2.81e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0107, 0.0425, 0.488, 0.611, 1.38e+03, 5.06e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.022, 0.094, 0.965, 0.531, 2.95e+03, 5.62e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0215, 0.0849, 0.977, 1.22, 2.76e+03, 1.01e+04},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0116, 0.314, 0.502, 0, 113, 217},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0232, 0.628, 1, 0, 225, 434},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0119, 0.13, 0.179, 0, 9.64, 370},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0239, 0.259, 0.358, 0, 19.3, 740},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0137, 0.303, 0.0469, 0.0318, 257, 43.5},
        [CNNBLAS_BACKWARD_DATA] = {0.0136, 0.154, 0.21, 0.0448, 180, 36.1},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.018, 0.254, 0.0458, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0274, 0.606, 0.0939, 0.0635, 513, 87},
        [CNNBLAS_BACKWARD_DATA] = {0.0272, 0.307, 0.421, 0.0896, 359, 72.2},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0359, 0.508, 0.0917, 0, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0133, 0, 0.25, 0.0301, 336, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0139, 0, 0.267, 0.0325, 222, 29.4},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.013, 0, 0.392, 0.0306, 5.09, 213},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0266, 0, 0.5, 0.0601, 672, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0278, 0, 0.535, 0.0651, 443, 58.8},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.026, 0, 0.784, 0.0613, 10.2, 425},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0335, 0, 0.542, 3.29, 1.73e+03, 2.61e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0671, 0, 1.08, 6.59, 3.47e+03, 5.22e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0314, 0.827, 0, 2.45, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0391, 0, 0.572, 0, 0, 5.33e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0402, 0, 0.923, 0, 0, 2.65e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0629, 1.65, 0, 4.9, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0782, 0, 1.14, 0, 0, 1.07e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0805, 0, 1.85, 0, 0, 5.3e+03},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0135, 0.0473, 0.124, 0.506, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0148, 0.135, 0.0248, 0.403, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0223, 0, 0.157, 1.06, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.027, 0.0945, 0.248, 1.01, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0296, 0.271, 0.0496, 0.807, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0447, 0, 0.314, 2.12, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0264, 0.246, 0.154, 2.77, 0, 4.54e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0403, 0, 0, 0, 0, 2.79e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0527, 0.492, 0.307, 5.53, 0, 9.07e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0807, 0, 0, 0, 0, 5.58e+04},
      },
    },
    [CB_COST_STRIPS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0146, 0.0306, 0.0563, 6.25, 0, 1.12e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0133, 0.0471, 0.0716, 6.71, 0, 1.69e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0291, 0.0612, 0.113, 12.5, 0, 2.23e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0265, 0.0941, 0.143, 13.4, 0, 3.38e+03},
      },
    },
    [CB_COST_WINOGRAD] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0128, 0.214, 0.131, 0.127, 2.11e+03, 732},
        [CNNBLAS_BACKWARD_DATA] = {0.0118, 0.189, 0.233, 0.245, 1.53e+03, 907},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0256, 0.427, 0.261, 0.255, 4.22e+03, 1.46e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0236, 0.377, 0.466, 0.491, 3.07e+03, 1.81e+03},
      },
    },
    [CB_COST_WINOGRAD_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0115, 0.656, 0.33, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0229, 1.31, 0.661, 0, 0, 0},
      },
    },
  }},
  {"avx512", "SkylakeX", {
    [CB_COST_ROWS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00584, 0.311, 0.245, 0.0827, 0, 1.17e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00639, 0.261, 0.141, 0.126, 0, 4.97e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0117, 0.623, 0.491, 0.165, 0, 2.34e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0128, 0.522, 0.282, 0.252, 0, 9.93e+03},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0053, 0.0943, 0.721, 0, 1.54e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00482, 0.126, 1.09, 8.97, 1.29e+03, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0106, 0.189, 1.44, 0, 3.08e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00964, 0.252, 2.18, 17.9, 2.59e+03, 0},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00694, 0, 0.053, 0.285, 1.94e+03, 1.8e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00694, 0, 0, 0.762, 1.82e+03, 1.81e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0139, 0, 0.106, 0.569, 3.88e+03, 3.59e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0139, 0, 0, 1.52, 3.65e+03, 3.61e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00954, 0.0735, 0.314, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0106, 0, 0.603, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00499, 0.608, 0.105, 0, 0, 2.03e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0191, 0.147, 0.628, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0212, 0, 1.21, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00999, 1.22, 0.21, 0, 0, 4.07e+03},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00539, 0.0141, 0.385, 0.435, 544, 1.61e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00537, 0.0404, 0.36, 0.479, 807, 3.24e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0108, 0.0283, 0.771, 0.87, 1.09e+03, 3.22e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0107, 0.0807, 0.72, 0.958, 1.61e+03, 6.49e+03},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00576, 0.185, 0.186, 0, 1.46e+03, 1.31e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0115, 0.37, 0.371, 0, 2.91e+03, 2.62e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00628, 0.106, 0.0997, 0, 17.6, 175},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0126, 0.213, 0.199, 0, 35.1, 349},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00744, 0, 0.135, 0, 198, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00735, 0.021, 0.245, 0, 79.1, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0153, 0.15, 0.0118, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0149, 0, 0.27, 0, 397, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0147, 0.042, 0.489, 0, 158, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0307, 0.301, 0.0236, 0, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00729, 0, 0.259, 0, 202, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00789, 0, 0.227, 0, 72.8, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0069, 0, 0.346, 0.0573, 10.1, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0146, 0, 0.519, 0, 404, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0158, 0, 0.454, 0, 146, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0138, 0, 0.691, 0.115, 20.1, 0},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0225, 0, 0.299, 3.01, 1.13e+03, 1.06e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0449, 0, 0.597, 6.02, 2.26e+03, 2.13e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0251, 0, 0, 0, 0, 1.32e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0233, 0, 0.185, 0, 0, 5.62e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0214, 0, 0.749, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0502, 0, 0, 0, 0, 2.63e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0466, 0, 0.371, 0, 0, 1.12e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0429, 0, 1.5, 0, 0, 0},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00793, 0.015, 0.085, 0.402, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00774, 0.106, 0, 0.407, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00822, 0, 0.0904, 0.902, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0159, 0.03, 0.17, 0.804, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0155, 0.213, 0, 0.814, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0164, 0, 0.181, 1.8, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0117, 0.179, 0, 0, 0, 3.58e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0194, 0, 0, 4.87, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0234, 0.358, 0, 0, 0, 7.15e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0389, 0, 0, 9.73, 0, 0},
      },
    },
    [CB_COST_STRIPS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00964, 0.00857, 0.0574, 0.172, 0, 1.04e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0111, 0, 0.0626, 0.478, 0, 738},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0193, 0.0171, 0.115, 0.344, 0, 2.08e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0223, 0, 0.125, 0.956, 0, 1.48e+03},
      },
    },
    [CB_COST_WINOGRAD] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00724, 0.0962, 0.0784, 0.146, 1.27e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00743, 0.133, 0.0372, 0.158, 1.61e+03, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0145, 0.192, 0.157, 0.293, 2.54e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0149, 0.266, 0.0743, 0.315, 3.21e+03, 0},
      },
    },
    [CB_COST_WINOGRAD_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00384, 0.297, 0.112, 0, 0, 1.11e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00768, 0.594, 0.224, 0, 0, 2.21e+04},
      },
    },
  }},
};
/* clang-format on */

#endif
