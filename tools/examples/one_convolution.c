/*
 * One convolution, one call: an image of 2 channels of 5 x 5 pixels, 3 filters of 3 x 3, stride 2, a ring of zeros.
 * Then its two gradients, for an error of 1 at every output.
 *
 *   cc one_convolution.c $(pkg-config --cflags --libs cnnblas) && ./a.out
 */
#include <cnnblas/cnnblas.h>
#include <stdio.h>

enum { C = 2, K = 3, SIZE = 5, FILTER = 3, OUT = 3 };

static float x[C][SIZE][SIZE], w[K][C][FILTER][FILTER], bias[K], y[K][OUT][OUT];
static float dy[K][OUT][OUT], dx[C][SIZE][SIZE], dw[K][C][FILTER][FILTER], db[K];

static int failed(cnnblas_status status)
{
  if (status == CNNBLAS_OK) return 0;
  fprintf(stderr, "one_convolution: %s: %s\n", cnnblas_status_string(status), cnnblas_last_error());
  return 1;
}

int main(void)
{
  const cnnblas_conv_desc desc = {.n = 1,
                                  .c = C,
                                  .k = K,
                                  .size = {SIZE, SIZE},
                                  .kernel = {FILTER, FILTER},
                                  .stride = {2, 2},
                                  .pad_begin = {1, 1},
                                  .pad_end = {1, 1}};
  for (int c = 0; c < C; c++)
    for (int i = 0; i < SIZE * SIZE; i++) (&x[c][0][0])[i] = (float)(c + 1);
  for (int k = 0; k < K; k++) {
    bias[k] = 0.5f;
    for (int i = 0; i < C * FILTER * FILTER; i++) (&w[k][0][0][0])[i] = (float)k;
    for (int i = 0; i < OUT * OUT; i++) (&dy[k][0][0])[i] = 1;
  }

  if (failed(cnnblas_conv_forward_once(&desc, x, w, bias, y)) ||
      failed(cnnblas_conv_backward_data_once(&desc, dy, w, dx)) ||
      failed(cnnblas_conv_backward_weights_once(&desc, x, dy, dw, db)))
    return 1;

  for (int k = 0; k < K; k++) {
    printf("output channel %d:", k);
    for (int i = 0; i < OUT; i++)
      for (int j = 0; j < OUT; j++) printf("%s%g", j ? " " : i ? " / " : " ", y[k][i][j]);
    printf("   bias gradient %g\n", db[k]);
  }
  printf("dx in the middle: %g; dw of the middle tap: %g\n", dx[0][2][2], dw[0][0][1][1]);
  /* the middle sees a full window of both channels: 9 * 1 * k + 9 * 2 * k + 0.5 */
  for (int k = 0; k < K; k++)
    if (y[k][1][1] != 27.0f * (float)k + 0.5f || db[k] != OUT * OUT) return 1;
  return 0;
}
