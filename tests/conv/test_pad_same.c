/* Padding that keeps the size, against its definition: the output size, the least number of zeros, and where they go. */
#include "support/harness.h"
#include <cnnblas/cnnblas.h>
#include <string.h>

static int64_t outputs(int64_t size, int64_t pad, int64_t kernel, int64_t stride, int64_t dilation)
{
  return (size + pad - (dilation * (kernel - 1) + 1)) / stride + 1;
}

/* One axis with every padding; the other axis of the descriptor is of another shape. */
static void check_axis(int64_t size, int64_t kernel, int64_t stride, int64_t dilation)
{
  const int64_t wanted = (size + stride - 1) / stride, span = dilation * (kernel - 1) + 1;
  for (int pad = 0; pad < 3; pad++) {
    cnnblas_conv_desc d = {.n = 1,
                           .c = 2,
                           .k = 3,
                           .size = {9, size},
                           .kernel = {3, kernel},
                           .stride = {1, stride},
                           .dilation = {1, dilation},
                           .pad_begin = {7, 7},
                           .pad_end = {7, 7}};
    harness_doing("size %d, kernel %d, stride %d, dilation %d, padding %d", (int)size, (int)kernel, (int)stride,
                  (int)dilation, pad);
    int64_t least = 0;
    while (size + least < span || outputs(size, least, kernel, stride, dilation) < wanted) least++;
    cnnblas_status status = cnnblas_conv_pad_same(&d, (cnnblas_conv_pad)pad);
    if (pad == CNNBLAS_PAD_SYMMETRIC && stride == 1 && least % 2) {
      if (status != CNNBLAS_INVALID_ARGUMENT) FAIL("gave %s", cnnblas_status_string(status));
      if (d.pad_begin[1] != 7) FAIL("the descriptor was touched");
      continue;
    }
    ASSERT_OK(status);
    cnnblas_conv_shape shape;
    ASSERT_OK(cnnblas_conv_get_shape(&d, &shape));
    if (shape.out[0] != 9 || shape.out[1] != wanted)
      FAIL("the output has %d x %d", (int)shape.out[0], (int)shape.out[1]);
    if (d.pad_begin[0] != 1 || d.pad_end[0] != 1)
      FAIL("the other axis has %d and %d", (int)d.pad_begin[0], (int)d.pad_end[0]);
    int64_t begin = d.pad_begin[1], end = d.pad_end[1], odd = least % 2;
    if (pad == CNNBLAS_PAD_SYMMETRIC ? begin != end || begin + end != least + odd
                                     : begin + end != least || end - begin != (pad == CNNBLAS_PAD_UPPER ? odd : -odd))
      FAIL("%d zeros in front and %d behind, of %d", (int)begin, (int)end, (int)least);
  }
}

static void test_every_axis(void **state)
{
  (void)state;
  for (int64_t size = 1; size <= 12; size++)
    for (int64_t kernel = 1; kernel <= 6; kernel++)
      for (int64_t stride = 1; stride <= 4; stride++)
        for (int64_t dilation = 1; dilation <= 3; dilation++) check_axis(size, kernel, stride, dilation);
}

/* Layers as networks have them, and all ranks. */
static void test_known_layers(void **state)
{
  (void)state;
  cnnblas_conv_desc stem = {.n = 1, .c = 3, .k = 64, .size = {224, 224}, .kernel = {7, 7}, .stride = {2, 2}};
  ASSERT_OK(cnnblas_conv_pad_same(&stem, CNNBLAS_PAD_SYMMETRIC)); /* ResNet's first */
  assert_true(stem.pad_begin[0] == 3 && stem.pad_end[0] == 3 && stem.pad_begin[1] == 3 && stem.pad_end[1] == 3);
  ASSERT_OK(cnnblas_conv_pad_same(&stem, CNNBLAS_PAD_UPPER)); /* the same in TensorFlow */
  assert_true(stem.pad_begin[0] == 2 && stem.pad_end[0] == 3);
  ASSERT_OK(cnnblas_conv_pad_same(&stem, CNNBLAS_PAD_LOWER));
  assert_true(stem.pad_begin[0] == 3 && stem.pad_end[0] == 2);
  cnnblas_conv_desc line = {.rank = 1, .n = 1, .c = 1, .k = 1, .size = {16000}, .kernel = {4}, .dilation = {8}};
  ASSERT_OK(cnnblas_conv_pad_same(&line, CNNBLAS_PAD_SYMMETRIC)); /* spans 25, an odd number */
  assert_true(line.pad_begin[0] == 12 && line.pad_end[0] == 12 && line.pad_begin[1] == 0);
  cnnblas_conv_desc video = {.rank = 3, .n = 1, .c = 1, .k = 1, .size = {8, 9, 10}, .kernel = {2, 3, 4}};
  ASSERT_OK(cnnblas_conv_pad_same(&video, CNNBLAS_PAD_UPPER));
  assert_true(video.pad_begin[0] == 0 && video.pad_end[0] == 1 && video.pad_begin[1] == 1 && video.pad_end[1] == 1 &&
              video.pad_begin[2] == 1 && video.pad_end[2] == 2);
}

static void refuse(cnnblas_conv_desc *d, cnnblas_conv_pad pad, cnnblas_status status, const char *word)
{
  const cnnblas_conv_desc before = d ? *d : (cnnblas_conv_desc){0};
  cnnblas_status got = cnnblas_conv_pad_same(d, pad);
  if (got != status || !strstr(cnnblas_last_error(), word))
    FAIL("gave %s: %s", cnnblas_status_string(got), cnnblas_last_error());
  if (d && memcmp(d, &before, sizeof before) != 0) FAIL("the descriptor was touched");
}

static void test_bad_arguments(void **state)
{
  (void)state;
  const cnnblas_conv_desc good = {.n = 1, .c = 1, .k = 1, .size = {4, 4}, .kernel = {3, 3}};
  cnnblas_conv_desc d = good;
  refuse(NULL, CNNBLAS_PAD_UPPER, CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  refuse(&d, (cnnblas_conv_pad)3, CNNBLAS_INVALID_ARGUMENT, "pad is 3");
  refuse(&d, (cnnblas_conv_pad)-1, CNNBLAS_INVALID_ARGUMENT, "pad is -1");
  d.c = 0;
  refuse(&d, CNNBLAS_PAD_UPPER, CNNBLAS_INVALID_ARGUMENT, "c is 0");
  d = good, d.kernel[1] = 0;
  refuse(&d, CNNBLAS_PAD_LOWER, CNNBLAS_INVALID_ARGUMENT, "kernel[1]");
  d = good, d.stride[0] = d.stride[1] = -2;
  refuse(&d, CNNBLAS_PAD_UPPER, CNNBLAS_INVALID_ARGUMENT, "stride[0] is -2");
  d = good, d.dilation[0] = d.dilation[1] = -1;
  refuse(&d, CNNBLAS_PAD_UPPER, CNNBLAS_INVALID_ARGUMENT, "dilation[0] is -1");
  d = good, d.rank = 4;
  refuse(&d, CNNBLAS_PAD_UPPER, CNNBLAS_INVALID_ARGUMENT, "rank is 4");
  d = good, d.rank = -1;
  refuse(&d, CNNBLAS_PAD_UPPER, CNNBLAS_INVALID_ARGUMENT, "rank is -1");
  d = good, d.dilation[0] = d.dilation[1] = INT64_MAX;
  refuse(&d, CNNBLAS_PAD_UPPER, CNNBLAS_SIZE_OVERFLOW, "dilation");
  d = good, d.kernel[0] = d.kernel[1] = 4;
  refuse(&d, CNNBLAS_PAD_SYMMETRIC, CNNBLAS_INVALID_ARGUMENT, "kernel[0] spans 4");
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_axis), cmocka_unit_test(test_known_layers),
                                     cmocka_unit_test(test_bad_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
