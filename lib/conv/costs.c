/*
 * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h).
 *
 * Where the figures come from: cnnblas-bench timed every algorithm by name on two cores of an AMD EPYC of the Zen 4 family
 * (AVX-512, 32 KiB L1d and 1 MiB L2 a core), OpenBLAS 0.3.21 with pthreads, in the default workspace:
 *   f32, 1 image    alexnet, c3d, googlenet, lenet5, mobilenet, resnet50, unet, vgg16, wavenet1d
 *   f32, 8 images   alexnet, googlenet, lenet5, mobilenet, resnet50, wavenet1d
 *   f64, 1 image    the same six; lenet5 with 8 too
 * Where implicit_gemm has become faster since, its f32 rows were scaled: forward by 0.8, input gradients by 0.95, what chose best
 * over 672 cases of the same sets. Images on the lanes came later; their figures were set by hand between those where LeNet-5's layers and 3x3 layers of 16 to
 * 512 channels at 32x32 to 4x4, 64 images, go over to them.
 * The other figures are fitted: they minimise over these 1086 cases what the choice loses against the fastest, and, with little
 * weight, the relative error of the estimates. So a row is what decides best between neighbours, not a measurement of a
 * loop: where an algorithm was no rival its estimate may be off by half. They are rates of two cores together; only
 * comparisons matter. bench/choice.py judges the choices of a build; CONTRIBUTING.md names the commands.
 */
#include "conv/costs.h"
#include "base/parameters.h"

/* clang-format off */
static const double nanoseconds[CB_COST_ROWS_OF_TABLE][2][3][CB_WORK_KINDS] = {
                                  /* mac, store, read, weights, calls, once */
  [CB_COST_ROWS] = {
    [CNNBLAS_F32] = {
      [CNNBLAS_FORWARD] = {0.00708, 0.161, 0.000485, 0.16, 0, 1.82e+04},
      [CNNBLAS_BACKWARD_DATA] = {0.00612, 0, 0.000163, 0.42, 3.26e+04, 9.04e+03},
    },
    [CNNBLAS_F64] = {
      [CNNBLAS_FORWARD] = {0.0188, 0.174, 0.139, 0, 477, 3.15e+04},
      [CNNBLAS_BACKWARD_DATA] = {0.0109, 0, 0.00332, 0.000165, 2.02e+05, 6.64e+04},
    },
  },
  [CB_COST_LANES] = {
    [CNNBLAS_F32] = {
      [CNNBLAS_FORWARD] = {0.00687, 0.156, 0.0266, 0.0174, 2.99e+03, 0},
      [CNNBLAS_BACKWARD_DATA] = {0.00591, 0.116, 2.08e-05, 0.176, 1.1e+04, 6.43e+04},
    },
    [CNNBLAS_F64] = {
      [CNNBLAS_FORWARD] = {0.0143, 0.000304, 0, 6.95, 5.6e+03, 2.8e+05},
      [CNNBLAS_BACKWARD_DATA] = {0.011, 0.00297, 1.4e-05, 10.5, 9.58e+03, 1.71e+05},
    },
  },
  [CB_COST_DIRECT] = {
    [CNNBLAS_F32] = {
      [CNNBLAS_FORWARD] = {0.00645, 0.242, 3.94e-05, 0, 538, 1.48e+03},
      [CNNBLAS_BACKWARD_DATA] = {0.00356, 0.568, 0, 0.36, 712, 8.01e+03},
    },
    [CNNBLAS_F64] = {
      [CNNBLAS_FORWARD] = {0.0163, 0.445, 8.14e-05, 0, 728, 2.41e+03},
      [CNNBLAS_BACKWARD_DATA] = {0.00985, 1.41, 0, 0.268, 504, 7.13e+03},
    },
  },
  [CB_COST_BATCH] = {
    [CNNBLAS_F32] = {
      [CNNBLAS_FORWARD] = {0.0092, 0.1, 0.08, 0, 0, 1000},
      [CNNBLAS_BACKWARD_DATA] = {0.0092, 0.1, 0.08, 0, 0, 1000},
      [CNNBLAS_BACKWARD_WEIGHTS] = {0.0088, 0.1, 0.08, 0, 0, 1000},
    },
    [CNNBLAS_F64] = {
      [CNNBLAS_FORWARD] = {0.0184, 0.2, 0.16, 0, 0, 1000},
      [CNNBLAS_BACKWARD_DATA] = {0.0184, 0.2, 0.16, 0, 0, 1000},
      [CNNBLAS_BACKWARD_WEIGHTS] = {0.0176, 0.2, 0.16, 0, 0, 1000},
    },
  },
  [CB_COST_WEIGHTS] = {
    [CNNBLAS_F32] = {
      [CNNBLAS_BACKWARD_WEIGHTS] = {0.0103, 0, 0.000128, 0, 231, 6.59e+03},
    },
    [CNNBLAS_F64] = {
      [CNNBLAS_BACKWARD_WEIGHTS] = {0.0183, 0.149, 0.0478, 0, 401, 5.91e+03},
    },
  },
  [CB_COST_GEMM_1X1] = {
    [CNNBLAS_F32] = {
      [CNNBLAS_FORWARD] = {0.0157, 0.28, 0, 0.000249, 0, 8.99},
      [CNNBLAS_BACKWARD_DATA] = {0.0121, 0, 0, 0.271, 0, 0},
      [CNNBLAS_BACKWARD_WEIGHTS] = {0.0155, 0.0224, 0, 0, 1.14e+04, 5.93e+03},
    },
    [CNNBLAS_F64] = {
      [CNNBLAS_FORWARD] = {0.0285, 0.0813, 0, 0.0018, 0, 2.43e+03},
      [CNNBLAS_BACKWARD_DATA] = {0.022, 0, 0, 0.229, 0, 0},
      [CNNBLAS_BACKWARD_WEIGHTS] = {0.0291, 0.00185, 0, 0.0012, 1.42e+04, 4.58e+03},
    },
  },
  [CB_COST_IM2COL] = {
    [CNNBLAS_F32] = {
      [CNNBLAS_FORWARD] = {0.0186, 0, 0.243, 0.915, 452, 6.54e+04},
      [CNNBLAS_BACKWARD_DATA] = {0.0116, 0, 0.453, 0.407, 372, 8.09e+03},
      [CNNBLAS_BACKWARD_WEIGHTS] = {0.016, 0, 0.215, 0.0224, 460, 7.64e+04},
    },
    [CNNBLAS_F64] = {
      [CNNBLAS_FORWARD] = {0.0342, 0, 0.151, 0.787, 551, 9.21e+04},
      [CNNBLAS_BACKWARD_DATA] = {0.0267, 0, 0.444, 0.275, 329, 5.84e+03},
      [CNNBLAS_BACKWARD_WEIGHTS] = {0.0331, 0, 0.172, 0.0406, 629, 3.41e+04},
    },
  },
  [CB_COST_ROT180] = {
    [CNNBLAS_F32] = {
      [CNNBLAS_BACKWARD_DATA] = {0.0234, 0, 0.197, 2.62, 473, 0},
    },
    [CNNBLAS_F64] = {
      [CNNBLAS_BACKWARD_DATA] = {0.0361, 0, 0.342, 2.55, 351, 9.9e+03},
    },
  },
  [CB_COST_DEPTHWISE] = {
    [CNNBLAS_F32] = {
      [CNNBLAS_FORWARD] = {0.0693, 0, 0.201, 0.258, 0, 17.4},
      [CNNBLAS_BACKWARD_DATA] = {0.0774, 0, 0.635, 55.4, 0, 0},
      [CNNBLAS_BACKWARD_WEIGHTS] = {0.0407, 0, 1.11e-15, 156, 0, 1.81e-10},
    },
    [CNNBLAS_F64] = {
      [CNNBLAS_FORWARD] = {0.184, 0, 1.11, 0, 0, 93.8},
      [CNNBLAS_BACKWARD_DATA] = {0.189, 0, 0, 35.5, 0, 0},
      [CNNBLAS_BACKWARD_WEIGHTS] = {0.11, 0, 2.1e-14, 143, 0, 0},
    },
  },
  [CB_COST_DEPTHWISE_3X3] = {
    [CNNBLAS_F32] = {
      [CNNBLAS_FORWARD] = {0.0269, 0, 0.0631, 0.895, 0, 243},
      [CNNBLAS_BACKWARD_DATA] = {0.000253, 0, 0.124, 1.4, 0, 0},
      [CNNBLAS_BACKWARD_WEIGHTS] = {0.013, 0, 0.098, 4.72, 0, 0},
    },
    [CNNBLAS_F64] = {
      [CNNBLAS_FORWARD] = {0.0197, 0, 0.106, 0.557, 0, 6.56e+03},
      [CNNBLAS_BACKWARD_DATA] = {0, 0, 0.216, 0.96, 0, 1.48e+03},
      [CNNBLAS_BACKWARD_WEIGHTS] = {0.00935, 0, 0.133, 2.18, 0, 1.55e+04},
    },
  },
};
/* clang-format on */

static bool uses_blas(cb_cost_row row)
{
  return row == CB_COST_GEMM_1X1 || row == CB_COST_IM2COL || row == CB_COST_ROT180;
}

double cb_cost(cb_cost_row row, const cb_problem *problem, const double work[CB_WORK_KINDS])
{
  const double *each = nanoseconds[row][problem->geo.dtype][problem->direction];
  double sum = 0;
  for (int i = 0; i < CB_WORK_KINDS; i++) sum += work[i] * each[i];
  return 1e-9 * sum * (uses_blas(row) ? 1 : cb_parameters_get()->order.slower);
}

double cb_cost_pixels(int64_t pixels)
{
  return pixels == 1 ? 64 : (double)pixels;
}
