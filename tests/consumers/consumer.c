/*
 * A user's program, C11 and C++17 alike: the headers and the library that were found belong together, and work.
 * Exit status 0 if the convolution of 3 x 3 numbers with 2 x 2 is what it must be.
 */
#include <cnnblas/cnnblas.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
  const float x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const float w[4] = {1, 10, 100, 1000};
  const float expected[4] = {5421, 6532, 8754, 9865}; /* x11 + 10 x12 + 100 x21 + 1000 x22, and so on */
  float y[4] = {0, 0, 0, 0};
  char version[32];
  cnnblas_conv_desc desc;

  cnnblas_conv_desc_init(&desc);
  desc.n = desc.c = desc.k = 1;
  desc.size[0] = desc.size[1] = 3;
  desc.kernel[0] = desc.kernel[1] = 2;
  if (cnnblas_conv_forward_once(&desc, x, w, NULL, y) != CNNBLAS_OK) {
    fprintf(stderr, "cnnblas_conv_forward_once: %s\n", cnnblas_last_error());
    return 1;
  }
  if (memcmp(y, expected, sizeof y) != 0) {
    fprintf(stderr, "wrong result: %g %g %g %g\n", y[0], y[1], y[2], y[3]);
    return 1;
  }
  snprintf(version, sizeof version, "%d.%d.%d", CNNBLAS_VERSION_MAJOR, CNNBLAS_VERSION_MINOR, CNNBLAS_VERSION_PATCH);
  if (strcmp(version, cnnblas_version_string()) != 0) {
    fprintf(stderr, "headers of %s, library %s\n", version, cnnblas_version_string());
    return 1;
  }
  printf("cnnblas %s: %g %g %g %g\n", version, y[0], y[1], y[2], y[3]);
  return 0;
}
