/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx2-sapphire_rapids.json: 2448 samples
 *   bench/calibration/avx2-zen3.json: 3396 samples
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
        [CNNBLAS_FORWARD] = {0.0151, 0.59, 0.226, 0.135, 1.17e+03, 2.17e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0152, 1.07, 0.027, 0.362, 763, 4.38e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0301, 1.18, 0.452, 0.27, 2.34e+03, 4.33e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0305, 2.14, 0.054, 0.724, 1.53e+03, 8.76e+03},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0136, 0.289, 1.42, 0, 3.71e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0134, 0.293, 2.23, 10.1, 2.29e+03, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0273, 0.578, 2.84, 0, 7.41e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0268, 0.587, 4.47, 20.1, 4.58e+03, 0},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0149, 0, 0.0564, 0.223, 6.63e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0179, 0, 0, 0.299, 3.45e+03, 4.61e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0298, 0, 0.113, 0.447, 1.33e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0357, 0, 0, 0.598, 6.9e+03, 9.22e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0206, 0.395, 1.12, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0243, 0.712, 0.617, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.011, 1.96, 0.219, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0413, 0.791, 2.25, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0487, 1.42, 1.23, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0219, 3.92, 0.437, 0, 0, 0},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0112, 0.0624, 0.546, 0.27, 1.49e+03, 2.73e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0112, 0.0398, 0.521, 0.645, 1.68e+03, 5.36e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0224, 0.125, 1.09, 0.54, 2.98e+03, 5.47e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0224, 0.0796, 1.04, 1.29, 3.36e+03, 1.07e+04},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0123, 0.328, 0.578, 0, 79.9, 210},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0245, 0.657, 1.16, 0, 160, 420},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0128, 0.132, 0.187, 0, 16.1, 366},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0255, 0.263, 0.374, 0, 32.1, 731},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0142, 0.385, 0.0602, 0.0387, 280, 22.3},
        [CNNBLAS_BACKWARD_DATA] = {0.0146, 0.195, 0.181, 0.0428, 171, 47.4},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0185, 0.273, 0.0395, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0283, 0.77, 0.12, 0.0775, 559, 44.6},
        [CNNBLAS_BACKWARD_DATA] = {0.0292, 0.39, 0.362, 0.0856, 341, 94.8},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.037, 0.547, 0.079, 0, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.014, 0, 0.294, 0.0345, 351, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0144, 0, 0.322, 0.0418, 226, 13.2},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0131, 0, 0.418, 0.0571, 0, 186},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0281, 0, 0.587, 0.0689, 702, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0287, 0, 0.644, 0.0836, 452, 26.4},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0263, 0, 0.836, 0.114, 0, 371},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.035, 0, 0.568, 3.7, 1.49e+03, 2.61e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.07, 0, 1.14, 7.39, 2.98e+03, 5.23e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0334, 0.879, 0, 2.6, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0415, 0, 0.608, 0, 0, 5.67e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0544, 0, 0.933, 0, 0, 437},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0668, 1.76, 0, 5.21, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0831, 0, 1.22, 0, 0, 1.13e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.109, 0, 1.87, 0, 0, 875},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0145, 0.0531, 0.126, 0.474, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0161, 0.146, 0.0179, 0.37, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0235, 0, 0.169, 1.18, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0291, 0.106, 0.251, 0.947, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0322, 0.292, 0.0357, 0.74, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0469, 0, 0.339, 2.37, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.028, 0.261, 0.163, 2.94, 0, 4.82e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0429, 0, 0, 0, 0, 2.96e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.056, 0.523, 0.326, 5.88, 0, 9.63e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0857, 0, 0, 0, 0, 5.93e+04},
      },
    },
    [CB_COST_STRIPS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.016, 0.0326, 0.077, 8.7, 0, 8.21e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0152, 0.0519, 0.0706, 8.7, 0, 2.01e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.032, 0.0652, 0.154, 17.4, 0, 1.64e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0305, 0.104, 0.141, 17.4, 0, 4.03e+03},
      },
    },
    [CB_COST_WINOGRAD] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0141, 0.209, 0.137, 0.132, 1.25e+03, 2.36e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0134, 0.21, 0.177, 0.273, 1.21e+03, 2.04e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0282, 0.419, 0.273, 0.264, 2.51e+03, 4.71e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0267, 0.419, 0.354, 0.546, 2.41e+03, 4.09e+03},
      },
    },
    [CB_COST_WINOGRAD_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0118, 0.597, 0.29, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0236, 1.19, 0.58, 0, 0, 0},
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
