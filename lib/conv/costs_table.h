/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx2-sapphire_rapids.json: 2170 samples
 *   bench/calibration/avx2-zen3.json: 4462 samples
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
        [CNNBLAS_FORWARD] = {0.0175, 0.529, 0.186, 0.0919, 1.17e+03, 2.41e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0145, 1.24, 0.17, 0.395, 989, 4.07e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0351, 1.06, 0.373, 0.184, 2.35e+03, 4.81e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.029, 2.49, 0.34, 0.79, 1.98e+03, 8.15e+03},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0182, 0.341, 1.17, 0, 2.45e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0162, 0.473, 2.6, 8.98, 1.87e+03, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0363, 0.682, 2.35, 0, 4.89e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0323, 0.947, 5.2, 18, 3.73e+03, 0},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0171, 0, 0.128, 0.192, 6.11e+03, 447},
        [CNNBLAS_BACKWARD_DATA] = {0.0246, 0.0214, 0, 0.237, 2.97e+03, 3.03e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0341, 0, 0.256, 0.384, 1.22e+04, 894},
        [CNNBLAS_BACKWARD_DATA] = {0.0492, 0.0428, 0, 0.475, 5.94e+03, 6.06e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0251, 0.37, 0.849, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0208, 0.457, 0.445, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0114, 1.34, 0.194, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0502, 0.74, 1.7, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0416, 0.914, 0.889, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0227, 2.68, 0.388, 0, 0, 0},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0104, 0.0544, 0.457, 0.436, 1.13e+03, 3.91e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.011, 0.0416, 0.381, 0.682, 1.2e+03, 8.6e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0209, 0.109, 0.915, 0.871, 2.25e+03, 7.82e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0221, 0.0832, 0.762, 1.36, 2.41e+03, 1.72e+04},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0113, 0.294, 0.483, 0, 28.5, 282},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0225, 0.588, 0.965, 0, 56.9, 564},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00867, 0.12, 0.336, 0, 3.24, 453},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0173, 0.24, 0.671, 0, 6.48, 905},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0141, 0.408, 0.0265, 0.0391, 240, 67.1},
        [CNNBLAS_BACKWARD_DATA] = {0.0126, 0.252, 0.144, 0.0526, 175, 55.4},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0225, 0.271, 0.048, 0.021, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0282, 0.816, 0.053, 0.0782, 480, 134},
        [CNNBLAS_BACKWARD_DATA] = {0.0252, 0.503, 0.288, 0.105, 351, 111},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0451, 0.542, 0.0961, 0.042, 0, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0185, 0, 0.388, 0.0523, 342, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0146, 0, 0.212, 0.0275, 242, 43},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0155, 0, 0.511, 0.0948, 0, 195},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.037, 0, 0.775, 0.105, 684, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0293, 0, 0.423, 0.0549, 484, 86.1},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.031, 0, 1.02, 0.19, 0, 391},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.034, 0, 0.412, 3.02, 944, 2.96e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0679, 0, 0.823, 6.03, 1.89e+03, 5.93e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.023, 0.718, 0, 2.51, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0259, 0, 0.831, 0.984, 0, 3.84e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.047, 0, 2.08, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0461, 1.44, 0, 5.02, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0518, 0, 1.66, 1.97, 0, 7.67e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0939, 0, 4.16, 0, 0, 0},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0146, 0, 0.15, 0.385, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0156, 0.146, 0, 0.343, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0, 0.475, 0.272, 0.959, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0292, 0, 0.3, 0.771, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0312, 0.291, 0, 0.686, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0, 0.95, 0.544, 1.92, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0252, 0.326, 0.0954, 3.29, 0, 4.41e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0214, 0, 0.405, 116, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0504, 0.651, 0.191, 6.58, 0, 8.83e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0428, 0, 0.809, 232, 0, 0},
      },
    },
    [CB_COST_STRIPS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0197, 0.00171, 0.0942, 4.23, 0, 1.12e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0181, 0.0213, 0.0786, 11.4, 0, 1.74e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0395, 0.00342, 0.188, 8.46, 0, 2.25e+04},
        [CNNBLAS_BACKWARD_DATA] = {0.0363, 0.0427, 0.157, 22.8, 0, 3.48e+03},
      },
    },
    [CB_COST_DOWN] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0, 0.262, 0.0427, 0.0274, 0, 3.27e+03},
        [CNNBLAS_BACKWARD_DATA] = {0, 0.277, 0.00678, 0.0388, 0, 3.79e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.014, 0, 0.0434, 1.46, 0.415, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0, 0.524, 0.0854, 0.0548, 0, 6.55e+03},
        [CNNBLAS_BACKWARD_DATA] = {0, 0.554, 0.0136, 0.0776, 0, 7.58e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0281, 0, 0.0867, 2.92, 0.829, 0},
      },
    },
    [CB_COST_WINOGRAD] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00944, 0.261, 0.116, 0.0964, 770, 2e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.012, 0.168, 0.136, 0.388, 818, 2.48e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0189, 0.522, 0.233, 0.193, 1.54e+03, 4.01e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.024, 0.336, 0.273, 0.775, 1.64e+03, 4.96e+03},
      },
    },
    [CB_COST_WINOGRAD_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0107, 0.518, 0.303, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0215, 1.04, 0.605, 0, 0, 0},
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
