/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:
 *   bench/calibration/avx2-sapphire_rapids.json: 2177 samples
 *   bench/calibration/avx512-sapphire_rapids.json: 1828 samples
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
        [CNNBLAS_FORWARD] = {0.0133, 0.616, 0.0781, 0.17, 806, 3.1e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0139, 0.796, 0, 0.274, 866, 8.49e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0266, 1.23, 0.156, 0.34, 1.61e+03, 6.21e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0278, 1.59, 0, 0.549, 1.73e+03, 1.7e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0131, 0, 0.501, 0, 2.12e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0162, 0, 0.703, 1.16, 2.66e+03, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0263, 0, 1, 0, 4.24e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0325, 0, 1.41, 2.31, 5.32e+03, 0},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0133, 0, 0, 0.148, 6.12e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0158, 0, 0, 0.63, 2.28e+03, 6.08e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0266, 0, 0, 0.296, 1.22e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0316, 0, 0, 1.26, 4.56e+03, 1.22e+04},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0189, 0, 0.866, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0225, 0.177, 0.51, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0105, 1.22, 0.201, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0378, 0, 1.73, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.045, 0.354, 1.02, 0, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.021, 2.43, 0.402, 0, 0, 0},
      },
    },
    [CB_COST_SLIVERS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0116, 0, 0.354, 0.203, 648, 3.65e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0111, 0.0142, 0.399, 0.744, 369, 5.73e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0232, 0, 0.708, 0.405, 1.3e+03, 7.29e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0222, 0.0284, 0.797, 1.49, 738, 1.15e+04},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0113, 0.3, 0.302, 0, 324, 2.64e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0227, 0.6, 0.605, 0, 648, 5.27e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0123, 0.169, 0.152, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0246, 0.338, 0.303, 0, 0, 0},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0133, 0.344, 0, 0.136, 5.61e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0139, 0.285, 0, 0.139, 0, 1.73e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0198, 0.22, 0, 0.0592, 884, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0266, 0.687, 0, 0.271, 1.12e+04, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0277, 0.57, 0, 0.278, 0, 3.47e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0396, 0.441, 0, 0.118, 1.77e+03, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0127, 0, 0.205, 0.127, 184, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0163, 0, 0.221, 0.106, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0109, 0, 0.583, 0.126, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0254, 0, 0.409, 0.253, 368, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0326, 0, 0.443, 0.212, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0218, 0, 1.17, 0.252, 0, 0},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0334, 0, 0.302, 3.62, 921, 3.2e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0667, 0, 0.603, 7.25, 1.84e+03, 6.39e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0395, 0, 0, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0378, 0, 0.279, 0, 0, 7.57e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0481, 0, 0, 0, 0, 2.65e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.079, 0, 0, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0757, 0, 0.557, 0, 0, 1.51e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0961, 0, 0, 0, 0, 5.29e+03},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.014, 0, 0.122, 0.873, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0149, 0.0791, 0.0279, 0.588, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0204, 0, 0.103, 0.719, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0279, 0, 0.245, 1.75, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0297, 0.158, 0.0557, 1.18, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0408, 0, 0.206, 1.44, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0217, 0.263, 0.0422, 1.19, 0, 4.93e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.031, 0, 0.149, 0, 0, 2.96e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0434, 0.527, 0.0844, 2.37, 0, 9.87e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0619, 0, 0.298, 0, 0, 5.91e+04},
      },
    },
  }},
  {"avx512", "SkylakeX", {
    [CB_COST_ROWS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0065, 0.504, 0.147, 0.0932, 95.3, 2.4e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.00717, 0.173, 0.406, 0.133, 881, 1.25e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.013, 1.01, 0.294, 0.186, 191, 4.81e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0143, 0.346, 0.812, 0.266, 1.76e+03, 2.5e+04},
      },
    },
    [CB_COST_LANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00691, 0.0199, 0.258, 0, 1.83e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00768, 0.407, 0, 0.724, 3.21e+03, 1.82e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0138, 0.0398, 0.516, 0, 3.66e+03, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0154, 0.814, 0, 1.45, 6.43e+03, 3.65e+04},
      },
    },
    [CB_COST_DIRECT] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00811, 0, 0, 0.51, 1.71e+03, 2e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0083, 0, 0, 0.79, 1.64e+03, 4.61e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0162, 0, 0, 1.02, 3.43e+03, 4e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0166, 0, 0, 1.58, 3.27e+03, 9.23e+03},
      },
    },
    [CB_COST_BATCH] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0104, 0.1, 0.228, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0119, 0, 0.648, 0, 0, 532},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00541, 0, 0.115, 0, 0, 2.9e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0208, 0.2, 0.456, 0, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0238, 0, 1.3, 0, 0, 1.06e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0108, 0, 0.231, 0, 0, 5.8e+03},
      },
    },
    [CB_COST_WEIGHTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00593, 0.215, 0.225, 0, 1.06e+03, 1.68e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0119, 0.43, 0.451, 0, 2.11e+03, 3.35e+03},
      },
    },
    [CB_COST_INPUTS] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00762, 0.112, 0.081, 0, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0152, 0.224, 0.162, 0, 0, 0},
      },
    },
    [CB_COST_GEMM_1X1] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0102, 0, 0, 0.0223, 0, 284},
        [CNNBLAS_BACKWARD_DATA] = {0.0107, 0, 0, 0.0279, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0303, 0.215, 0, 0.0354, 769, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0204, 0, 0, 0.0446, 0, 568},
        [CNNBLAS_BACKWARD_DATA] = {0.0215, 0, 0, 0.0558, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0607, 0.429, 0, 0.0709, 1.54e+03, 0},
      },
    },
    [CB_COST_IM2COL] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00829, 0, 0.205, 0.0225, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0108, 0, 0.186, 0.0171, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00749, 0, 0.325, 0.141, 0, 2.81e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0166, 0, 0.411, 0.0449, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0217, 0, 0.373, 0.0343, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.015, 0, 0.65, 0.281, 0, 5.61e+04},
      },
    },
    [CB_COST_ROT180] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0261, 0, 0.164, 3.62, 865, 2.71e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_BACKWARD_DATA] = {0.0522, 0, 0.328, 7.23, 1.73e+03, 5.41e+04},
      },
    },
    [CB_COST_DEPTHWISE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.025, 0.00711, 0, 4.53, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0273, 0, 0.146, 0, 0, 5.19e+03},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0173, 0, 0, 0.825, 0, 2.28e+03},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.05, 0.0142, 0, 9.06, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0546, 0, 0.292, 0, 0, 1.04e+04},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.0346, 0, 0, 1.65, 0, 4.57e+03},
      },
    },
    [CB_COST_DEPTHWISE_SQUARE] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.00941, 0, 0.0715, 0.611, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.00904, 0.0811, 0, 0.63, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.00852, 0.0121, 0.0745, 0.908, 0, 0},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0188, 0, 0.143, 1.22, 0, 0},
        [CNNBLAS_BACKWARD_DATA] = {0.0181, 0.162, 0, 1.26, 0, 0},
        [CNNBLAS_BACKWARD_WEIGHTS] = {0.017, 0.0241, 0.149, 1.82, 0, 0},
      },
    },
    [CB_COST_PLANES] = {
      [CNNBLAS_F32] = {
        [CNNBLAS_FORWARD] = {0.0109, 0.19, 0.0416, 0.553, 0, 2.91e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0167, 0, 0.00439, 0, 0, 2.95e+04},
      },
      [CNNBLAS_F64] = {
        [CNNBLAS_FORWARD] = {0.0218, 0.38, 0.0832, 1.11, 0, 5.82e+03},
        [CNNBLAS_BACKWARD_DATA] = {0.0333, 0, 0.00877, 0, 0, 5.9e+04},
      },
    },
  }},
};
/* clang-format on */

#endif
