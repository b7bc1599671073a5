/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx2-sapphire_rapids.json: 2170 samples
 *   bench/calibration/avx2-zen3.json: 4433 samples
 *   bench/calibration/avx2-zen4.json: 2721 samples
 *   bench/calibration/avx2-zen5-planes.json: 877 samples
 *   bench/calibration/avx2-zen5.json: 3075 samples
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
        [CNNBLAS_FORWARD] = {0.0175, 0.474, 0.153, 0.0859, 1.22e+03, 2.53e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0138, 1.2, 0.136, 0.322, 1.37e+03, 5.89e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.035, 0.948, 0.306, 0.172, 2.44e+03, 5.06e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0275, 2.39, 0.271, 0.644, 2.74e+03, 1.18e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0183, 0.359, 1.21, 0, 2.46e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.017, 0.395, 2.57, 10.5, 1.92e+03, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0366, 0.718, 2.42, 0, 4.92e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0341, 0.79, 5.14, 21, 3.84e+03, 0},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0172, 0, 0.108, 0.193, 7.18e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.02, 0.08, 0, 0.263, 3.64e+03, 3.91e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0343, 0, 0.215, 0.385, 1.44e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.04, 0.16, 0, 0.526, 7.27e+03, 7.82e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0255, 0.352, 0.865, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0228, 0.39, 0.441, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0116, 1.9, 0.215, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.051, 0.704, 1.73, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0456, 0.78, 0.882, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0232, 3.8, 0.429, 0, 0, 0},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0105, 0.0574, 0.481, 0.391, 1.18e+03, 3.63e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0113, 0.0281, 0.332, 0.553, 1.41e+03, 9.1e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.021, 0.115, 0.962, 0.783, 2.35e+03, 7.27e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0227, 0.0561, 0.665, 1.11, 2.81e+03, 1.82e+04},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0119, 0.248, 0.466, 0, 58.6, 575},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0239, 0.497, 0.932, 0, 117, 1.15e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00944, 0.123, 0.233, 0, 8.84, 476},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0189, 0.246, 0.465, 0, 17.7, 951},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0134, 0.387, 0.0463, 0.0439, 277, 14.5},
        [CNNBLAS_BACKWARD_DATA] = {0.0121, 0.269, 0.163, 0.0495, 182, 67.6},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0212, 0.275, 0.0709, 0.0611, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0269, 0.775, 0.0925, 0.0878, 555, 28.9},
        [CNNBLAS_BACKWARD_DATA] = {0.0242, 0.538, 0.326, 0.0991, 365, 135},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0423, 0.549, 0.142, 0.122, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0171, 0, 0.392, 0.0447, 365, 16.8},
        [CNNBLAS_BACKWARD_DATA] = {0.0144, 0, 0.391, 0.0564, 181, 97.7},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0151, 0, 0.562, 0.105, 8.31, 231},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0342, 0, 0.783, 0.0893, 729, 33.6},
        [CNNBLAS_BACKWARD_DATA] = {0.0287, 0, 0.781, 0.113, 362, 195},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0302, 0, 1.12, 0.21, 16.6, 462},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.035, 0, 0.511, 3.35, 1.52e+03, 4.24e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.07, 0, 1.02, 6.71, 3.04e+03, 8.48e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0235, 0.726, 0, 2.54, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0245, 0, 0.951, 0.995, 0, 3.88e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0525, 0, 1.99, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0469, 1.45, 0, 5.08, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.049, 0, 1.9, 1.99, 0, 7.76e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.105, 0, 3.97, 0, 0, 0},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0155, 0, 0.14, 0.321, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0157, 0.147, 0, 0.305, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0, 0.619, 0.166, 0.697, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0311, 0, 0.28, 0.643, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0314, 0.294, 0, 0.609, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0, 1.24, 0.333, 1.39, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0256, 0.329, 0.0965, 3.32, 0, 4.46e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0204, 0, 0.386, 117, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0513, 0.658, 0.193, 6.65, 0, 8.92e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0408, 0, 0.772, 234, 0, 0},
      },
    },
    [CB_COST_STRIPS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0202, 0.0113, 0.0678, 3.78, 0, 1.04e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0175, 0.0318, 0.05, 8.7, 0, 2.03e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0405, 0.0226, 0.136, 7.56, 0, 2.09e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0349, 0.0636, 0.1, 17.4, 0, 4.07e+03},
      },
    },
    [CB_COST_DOWN] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0, 0.262, 0.0426, 0.676, 0, 1.89e+03},
        [CNNBLAS_BACKWARD_DATA] = {0, 0.259, 0.0269, 0.755, 0, 1.62e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0141, 0, 0.0969, 1.09, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0, 0.523, 0.0851, 1.35, 0, 3.78e+03},
        [CNNBLAS_BACKWARD_DATA] = {0, 0.518, 0.0538, 1.51, 0, 3.25e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0281, 0, 0.194, 2.18, 0, 0},
      },
    },
    [CB_COST_WINOGRAD] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00852, 0.239, 0.15, 0.0977, 1.4e+03, 49.2},
        [CNNBLAS_BACKWARD_DATA] = {0.0109, 0.174, 0.148, 0.349, 1.19e+03, 1.03e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.017, 0.478, 0.301, 0.195, 2.8e+03, 98.4},
        [CNNBLAS_BACKWARD_DATA] = {0.0217, 0.348, 0.296, 0.699, 2.38e+03, 2.05e+03},
      },
    },
    [CB_COST_WINOGRAD_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0106, 0.658, 0.321, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0212, 1.32, 0.641, 0, 0, 0},
      },
    },
  }},
  {"avx512", "SkylakeX", {
    [CB_COST_ROWS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00551, 0.393, 0.231, 0.105, 0, 1.4e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00603, 0.332, 0.15, 0.0936, 0, 3.25e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.011, 0.786, 0.463, 0.21, 0, 2.81e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0121, 0.664, 0.299, 0.187, 0, 6.51e+03},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00599, 0.0943, 1.1, 0, 1.54e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00883, 0.135, 1.88, 8.97, 1.29e+03, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.012, 0.189, 2.2, 0, 3.08e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0177, 0.27, 3.76, 17.9, 2.59e+03, 0},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00655, 0, 0.053, 0.285, 2.05e+03, 1.9e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00655, 0, 0, 0.807, 1.93e+03, 1.91e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0131, 0, 0.106, 0.569, 4.11e+03, 3.81e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0131, 0, 0, 1.61, 3.86e+03, 3.83e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00795, 0.0735, 0.314, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0106, 0, 0.447, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00565, 0.608, 0.104, 0, 0, 2.03e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0159, 0.147, 0.628, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0212, 0, 0.894, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0113, 1.22, 0.209, 0, 0, 4.07e+03},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00539, 0.0141, 0.385, 0.627, 577, 1.71e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00507, 0.0457, 0.432, 0.731, 855, 3.67e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0108, 0.0283, 0.771, 1.25, 1.15e+03, 3.42e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0101, 0.0914, 0.864, 1.46, 1.71e+03, 7.35e+03},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00546, 0.193, 0.217, 0, 984, 1.26e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0109, 0.387, 0.434, 0, 1.97e+03, 2.52e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00523, 0.1, 0.0941, 0, 17.6, 175},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0105, 0.201, 0.188, 0, 35.1, 349},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00893, 0, 0.135, 0, 187, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00832, 0.0198, 0.231, 0, 79.1, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0153, 0.15, 0.0118, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0179, 0, 0.27, 0, 374, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0166, 0.0396, 0.462, 0, 158, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0307, 0.301, 0.0236, 0, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00729, 0, 0.294, 0, 202, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00946, 0, 0.201, 0, 72.8, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00878, 0, 0.391, 0.0573, 10.1, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0146, 0, 0.587, 0, 404, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0189, 0, 0.401, 0, 146, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0176, 0, 0.782, 0.115, 20.1, 0},
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
        [CNNBLAS_FORWARD] = {0.0174, 0, 0, 0, 0, 1.32e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0206, 0, 0.198, 0, 0, 5.62e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0189, 0, 0.589, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0349, 0, 0, 0, 0, 2.63e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0412, 0, 0.396, 0, 0, 1.12e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0379, 0, 1.18, 0, 0, 0},
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
        [CNNBLAS_FORWARD] = {0.0117, 0.19, 0, 0, 0, 3.79e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0194, 0, 0, 5.2, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0234, 0.379, 0, 0, 0, 7.58e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0389, 0, 0, 10.4, 0, 0},
      },
    },
    [CB_COST_STRIPS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0091, 0.00857, 0.0574, 0.172, 0, 1.04e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0118, 0, 0.0626, 0.478, 0, 738},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0182, 0.0171, 0.115, 0.344, 0, 2.08e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0236, 0, 0.125, 0.956, 0, 1.48e+03},
      },
    },
    [CB_COST_WINOGRAD] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00683, 0.102, 0.0831, 0.146, 1.35e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00584, 0.169, 0.0394, 0.227, 1.52e+03, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0137, 0.204, 0.166, 0.293, 2.69e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0117, 0.338, 0.0788, 0.454, 3.03e+03, 0},
      },
    },
    [CB_COST_WINOGRAD_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00384, 0.403, 0.0934, 0, 0, 2.03e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00768, 0.807, 0.187, 0, 0, 4.06e+04},
      },
    },
  }},
};
/* clang-format on */

#endif
