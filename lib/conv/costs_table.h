/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx2-sapphire_rapids.json: 2247 samples
 *   bench/calibration/avx512-sapphire_rapids.json: 2136 samples
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
        [CNNBLAS_FORWARD] = {0.0129, 0.568, 0.123, 0.161, 930, 2.87e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0136, 0.716, 0, 0.274, 807, 9.01e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0257, 1.14, 0.245, 0.322, 1.86e+03, 5.75e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0271, 1.43, 0, 0.548, 1.61e+03, 1.8e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0123, 0, 1.54, 0, 1.67e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0141, 1.67, 0, 0, 3.38e+03, 2.32e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0246, 0, 3.08, 0, 3.34e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0282, 3.33, 0, 0, 6.76e+03, 4.64e+04},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0125, 0, 0, 0.146, 6.28e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.016, 0, 0, 0.705, 2.57e+03, 1.81e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0251, 0, 0, 0.292, 1.26e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0319, 0, 0, 1.41, 5.13e+03, 3.63e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0181, 0, 1.09, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0218, 0.625, 0.434, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0104, 2.26, 0.173, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0362, 0, 2.18, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0436, 1.25, 0.868, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0208, 4.53, 0.345, 0, 0, 0},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.011, 0, 0.41, 0.238, 498, 3.46e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0106, 0.013, 0.412, 0.648, 839, 6.43e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.022, 0, 0.82, 0.477, 996, 6.93e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0212, 0.0261, 0.825, 1.3, 1.68e+03, 1.29e+04},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.011, 0.293, 0.333, 0, 396, 2.11e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0221, 0.586, 0.666, 0, 791, 4.22e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0113, 0.158, 0.185, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0226, 0.316, 0.369, 0, 0, 0},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0129, 0.298, 0, 0.126, 5.94e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0135, 0.266, 0, 0.13, 0, 1.37e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0188, 0.234, 0, 0.0514, 361, 1.12e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0258, 0.596, 0, 0.253, 1.19e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0271, 0.532, 0, 0.26, 0, 2.74e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0376, 0.469, 0, 0.103, 723, 2.23e+04},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0122, 0, 0.216, 0.121, 300, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.015, 0, 0.262, 0.109, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0106, 0, 0.561, 0.141, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0244, 0, 0.432, 0.242, 600, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0299, 0, 0.524, 0.218, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0212, 0, 1.12, 0.282, 0, 0},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0318, 0, 0.287, 3.61, 1.53e+03, 3.73e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0636, 0, 0.574, 7.22, 3.07e+03, 7.45e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0537, 0, 0.128, 0, 0, 1.26e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0697, 0, 0.0523, 0, 0, 1.68e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0879, 0, 0.0526, 2.71, 0, 1.71e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.107, 0, 0.256, 0, 0, 2.51e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.139, 0, 0.105, 0, 0, 3.36e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.176, 0, 0.105, 5.42, 0, 3.43e+04},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0127, 0, 0.112, 1.37, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0, 0, 0.185, 1.06, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00376, 0, 0.144, 4.16, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0253, 0, 0.224, 2.74, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0, 0, 0.369, 2.13, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00751, 0, 0.288, 8.33, 0, 0},
      },
    },
  }},
  {"avx512", "SkylakeX", {
    [CB_COST_ROWS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00624, 0.472, 0.1, 0.0904, 112, 2.26e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0067, 0.205, 0.346, 0.132, 618, 1.22e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0125, 0.945, 0.2, 0.181, 225, 4.51e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0134, 0.411, 0.693, 0.264, 1.24e+03, 2.44e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.006, 0.111, 0.532, 0, 2.14e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00651, 0.701, 0, 0.571, 2.77e+03, 1.52e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.012, 0.222, 1.06, 0, 4.27e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.013, 1.4, 0, 1.14, 5.54e+03, 3.04e+04},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00771, 0, 0, 0.353, 1.82e+03, 1.73e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00729, 0, 0, 0.968, 1.74e+03, 1.65e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0154, 0, 0, 0.706, 3.64e+03, 3.46e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0146, 0, 0, 1.94, 3.48e+03, 3.29e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00981, 0.0697, 0.245, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0112, 0, 0.587, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00499, 0.000461, 0.106, 0, 0, 3.04e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0196, 0.139, 0.49, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0223, 0, 1.17, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00998, 0.000922, 0.212, 0, 0, 6.08e+03},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0059, 0.00259, 0.292, 0.325, 377, 1.59e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00558, 0.0316, 0.293, 0.659, 658, 3.26e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0118, 0.00519, 0.585, 0.65, 755, 3.19e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0112, 0.0632, 0.586, 1.32, 1.32e+03, 6.52e+03},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00561, 0.197, 0.219, 0, 1.16e+03, 1.29e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0112, 0.394, 0.438, 0, 2.33e+03, 2.59e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00672, 0.104, 0.0865, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0134, 0.207, 0.173, 0, 0, 0},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00932, 0, 0, 0.0204, 0, 296},
        [CNNBLAS_BACKWARD_DATA] = {0.0102, 0, 0, 0.0241, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0142, 0.268, 0, 0.041, 1.4e+03, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0186, 0, 0, 0.0407, 0, 591},
        [CNNBLAS_BACKWARD_DATA] = {0.0203, 0, 0, 0.0482, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0284, 0.535, 0, 0.0819, 2.8e+03, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00728, 0, 0.221, 0.0205, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00956, 0, 0.21, 0.0112, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0063, 0, 0.353, 0.137, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0146, 0, 0.441, 0.0409, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0191, 0, 0.42, 0.0223, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0126, 0, 0.705, 0.275, 0, 0},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0253, 0, 0.154, 3.22, 905, 2.55e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0505, 0, 0.309, 6.45, 1.81e+03, 5.09e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0269, 0, 0.0774, 0.665, 0, 1.26e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0362, 0, 0.112, 0.903, 0, 1.52e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0475, 0, 0.0968, 6.41, 0, 1.77e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0537, 0, 0.155, 1.33, 0, 2.51e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0723, 0, 0.223, 1.81, 0, 3.03e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0949, 0, 0.194, 12.8, 0, 3.54e+04},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00233, 0, 0.0893, 1.95, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0, 0, 0.11, 1.98, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.000422, 0, 0.104, 11.1, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.00467, 0, 0.179, 3.9, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0, 0, 0.22, 3.96, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.000845, 0, 0.207, 22.1, 0, 0},
      },
    },
  }},
};
/* clang-format on */

#endif
