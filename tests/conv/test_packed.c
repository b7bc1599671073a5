/*
 * Weights packed once: the bits of implicit_gemm with weights as they are, for any n, size, stride, padding and number of
 * threads from one packed buffer; and what does not fit is refused with both sides named. (Values are test_random's.)
 */
#include "support/names.h"
#include "support/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float x[4 * 40 * 30 * 30], w[40 * 330 * 25], y[2][4 * 70 * 32 * 32];
static uint64_t seed;

static cnnblas_conv_plan *plan_of(const cnnblas_conv_desc *d, int32_t packed, int32_t threads, const char *algorithm)
{
  cnnblas_conv_options o = {.packed_weights = packed, .threads = threads, .algorithm = algorithm};
  cnnblas_conv_plan *plan = NULL;
  ASSERT_OK(cnnblas_conv_plan_create(d, CNNBLAS_FORWARD, &o, &plan));
  return plan;
}

static void expect(cnnblas_status got, cnnblas_status want, const char *words)
{
  if (got != want || !strstr(cnnblas_last_error(), words))
    FAIL("gave %s, \"%s\"; expected the words \"%s\"", cnnblas_status_string(got), cnnblas_last_error(), words);
}

static void *packed_by(const cnnblas_conv_plan *plan, size_t *bytes)
{
  void *packed = NULL;
  ASSERT_OK(cnnblas_conv_plan_packed_bytes(plan, bytes));
  if (posix_memalign(&packed, 64, *bytes)) FAIL("no memory");
  ASSERT_OK(cnnblas_conv_plan_pack_weights(plan, w, packed, *bytes));
  return packed;
}

/* The rows of implicit_gemm that pack, one of each form. */
static const char *const forms[] = {IMPLICIT_GEMM_CHANNELS, IMPLICIT_GEMM_SLIVERS};

/* By a plan of any n and size with this filter, in the form of algorithm `name`, on threads. */
static void *packed_of(const cnnblas_conv_desc *d, int32_t threads, const char *name, size_t *bytes)
{
  cnnblas_conv_plan *plan = plan_of(d, 1, threads, d->groups == d->c ? NULL : name);
  void *packed = packed_by(plan, bytes);
  cnnblas_conv_plan_destroy(plan);
  return packed;
}

/* One buffer serves every shape with these channels and this kernel. */
static void one_buffer_for_many_shapes(const char *form)
{
  static const int64_t channels[][3] = {{40, 70, 1}, {3, 64, 1}, {8, 6, 2}, {40, 16, 1}, {12, 12, 12}};
  for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
    for (int64_t k = 1; k <= 3; k += 2) {
      cnnblas_conv_desc d = {.c = channels[c][0], .k = channels[c][1], .groups = channels[c][2], .kernel = {k, k}};
      d.n = 1, d.size[0] = d.size[1] = 10;
      size_t bytes;
      void *packed = packed_of(&d, 2, form, &bytes);
      const bool slivers = !strcmp(form, IMPLICIT_GEMM_SLIVERS); /* which refuse taps that no output reaches */
      for (int64_t size = slivers ? 12 : 3; size <= 30; size += 9)
        for (int64_t stride = 1; stride <= 2; stride++) {
          d.n = 1 + size % 4, d.size[0] = d.size[1] = size, d.stride[0] = d.stride[1] = stride;
          d.pad_begin[0] = d.pad_end[1] = size % 2;
          harness_doing("%s, c %d k %d groups %d kernel %d size %d stride %d, seed %llu", form, (int)d.c, (int)d.k,
                        (int)d.groups, (int)k, (int)size, (int)stride, (unsigned long long)seed);
          const bool depthwise = d.groups == d.c;
          cnnblas_conv_plan *raw = plan_of(&d, 0, 1, depthwise ? NULL : IMPLICIT_GEMM),
                            *ready = plan_of(&d, 1, 2, depthwise ? NULL : form);
          cnnblas_conv_shape shape;
          ASSERT_OK(cnnblas_conv_get_shape(&d, &shape));
          ASSERT_OK(cnnblas_conv_forward(raw, d.n, x, w, NULL, y[0], NULL, 0));
          ASSERT_OK(cnnblas_conv_forward_packed(ready, d.n, x, packed, NULL, y[1], NULL, 0));
          assert_memory_equal(y[0], y[1], (size_t)shape.y_elements * sizeof(float));
          cnnblas_conv_plan_destroy(raw);
          cnnblas_conv_plan_destroy(ready);
        }
      free(packed);
    }
}

static void test_one_buffer_for_many_shapes(void **state)
{
  (void)state;
  rng r = rng_at(seed, 1);
  for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = (float)rng_real(&r);
  for (size_t i = 0; i < sizeof w / sizeof *w; i++) w[i] = (float)rng_real(&r);
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) one_buffer_for_many_shapes(forms[i]);
}

/* Panels so large that they are copied before some tiles walk them, and not before few: the same bits. */
static void test_large_panels(void **state)
{
  (void)state;
  cnnblas_conv_desc d = {.n = 4, .c = 330, .k = 40, .size = {9, 9}, .kernel = {5, 5}};
  size_t bytes;
  void *packed = packed_of(&d, 2, IMPLICIT_GEMM_CHANNELS, &bytes);
  for (int pad = 0; pad <= 2; pad += 2)
    for (int32_t threads = 1; threads <= 2; threads++) {
      d.size[0] = d.size[1] = 9 - 2 * pad;
      for (int i = 0; i < 2; i++) d.pad_begin[i] = d.pad_end[i] = pad;
      cnnblas_conv_plan *raw = plan_of(&d, 0, 1, IMPLICIT_GEMM),
                        *ready = plan_of(&d, 1, threads, IMPLICIT_GEMM_CHANNELS);
      for (int64_t n = 4; n >= 1; n -= 3) {
        harness_doing("pad %d, n %d, threads %d, seed %llu", pad, (int)n, (int)threads, (unsigned long long)seed);
        ASSERT_OK(cnnblas_conv_forward(raw, n, x, w, NULL, y[0], NULL, 0));
        ASSERT_OK(cnnblas_conv_forward_packed(ready, n, x, packed, NULL, y[1], NULL, 0));
        assert_memory_equal(y[0], y[1], (size_t)(n * 40 * 25) * sizeof(float));
      }
      cnnblas_conv_plan_destroy(raw);
      cnnblas_conv_plan_destroy(ready);
    }
  free(packed);
}

/* Taps that no output reaches are packed with the others, and left out by calls that pack. Slivers refuse them packed. */
static void test_taps_that_no_output_reaches(void **state)
{
  (void)state;
  static const char *const names[] = {IMPLICIT_GEMM_CHANNELS, IMPLICIT_GEMM_PIXELS, IMPLICIT_GEMM_SLIVERS};
  cnnblas_conv_desc d = {.n = 3, .c = 70, .k = 40, .kernel = {3, 5}};
  size_t bytes;
  d.size[0] = d.size[1] = 9;
  void *packed = packed_of(&d, 2, IMPLICIT_GEMM_CHANNELS, &bytes);
  for (int64_t size = 1; size <= 7; size += 2)
    for (int64_t dilation = 1; dilation <= 3; dilation++) {
      for (int i = 0; i < 2; i++) {
        d.size[i] = size + i;
        d.dilation[i] = dilation;
        d.pad_begin[i] = d.pad_end[i] = dilation * (1 + i);
      }
      harness_doing("size %d, dilation %d, seed %llu", (int)size, (int)dilation, (unsigned long long)seed);
      for (int way = 0; way < 2; way++) {
        cnnblas_conv_plan *ready = plan_of(&d, 1, 2, names[way]);
        ASSERT_OK(cnnblas_conv_forward_packed(ready, 3, x, packed, NULL, y[1], NULL, 0));
        for (int i = 0; i < 3; i++) {
          cnnblas_conv_plan *raw = plan_of(&d, 0, 1 + i, names[i]);
          ASSERT_OK(cnnblas_conv_forward(raw, 3, x, w, NULL, y[0], NULL, 0));
          assert_memory_equal(y[0], y[1], (size_t)(3 * 40 * size * (size + 1)) * sizeof(float));
          cnnblas_conv_plan_destroy(raw);
        }
        cnnblas_conv_plan_destroy(ready);
      }
    }
  free(packed);
  d.size[0] = d.size[1] = 1;
  cnnblas_conv_options o = {.packed_weights = 1, .algorithm = IMPLICIT_GEMM_SLIVERS};
  cnnblas_conv_plan *none = NULL;
  expect(cnnblas_conv_plan_create(&d, CNNBLAS_FORWARD, &o, &none), CNNBLAS_UNSUPPORTED, "taps that no output reaches");
}

static int32_t packs(const cnnblas_conv_desc *d, cnnblas_conv_direction direction, const cnnblas_conv_options *o,
                     const char *words)
{
  char text[4096];
  cnnblas_conv_plan *plan = NULL;
  ASSERT_OK(cnnblas_conv_plan_create(d, direction, o, &plan));
  ASSERT_OK(cnnblas_conv_plan_describe(plan, text, sizeof text, NULL));
  if (!strstr(text, words)) FAIL("expected \"%s\" in: %s", words, text);
  int32_t says = cnnblas_conv_plan_packs(plan);
  cnnblas_conv_plan_destroy(plan);
  return says;
}

/* Where packing beforehand spares a call something, and where it does not. */
static void test_who_packs(void **state)
{
  (void)state;
  cnnblas_conv_desc d = {.n = 1, .c = 64, .k = 64, .size = {20, 20}, .kernel = {3, 3}};
  const cnnblas_conv_options gemm = {.algorithm = IMPLICIT_GEMM}, gemm_channels = {.algorithm = IMPLICIT_GEMM_CHANNELS},
                             ready = {.packed_weights = 1, .algorithm = IMPLICIT_GEMM_CHANNELS},
                             im2col = {.algorithm = IM2COL};
  assert_int_equal(packs(&d, CNNBLAS_FORWARD, &gemm_channels, "lanes: channels"), 1);
  assert_int_equal(packs(&d, CNNBLAS_FORWARD, &ready, "lanes: channels"), 0);
  assert_int_equal(packs(&d, CNNBLAS_FORWARD, &im2col, IM2COL), 0);
  assert_int_equal(packs(&d, CNNBLAS_BACKWARD_DATA, &gemm_channels, IMPLICIT_GEMM), 0);
  assert_int_equal(packs(&d, CNNBLAS_BACKWARD_WEIGHTS, &gemm, IMPLICIT_GEMM), 0);
  cnnblas_conv_desc batch = {.n = 64, .c = 8, .k = 64, .size = {4, 4}, .kernel = {3, 3}};
  for (int i = 0; i < 2; i++) batch.pad_begin[i] = batch.pad_end[i] = 1;
  assert_int_equal(packs(&batch, CNNBLAS_FORWARD, &gemm, "lanes: images"), 0);
  d.groups = 64;
  assert_int_equal(packs(&d, CNNBLAS_FORWARD, &gemm, IMPLICIT_GEMM), 0);
}

/* A filter as large as the image is a product of matrices inside; its packed weights are those of the same filter elsewhere.
   Those of a 1x1 filter with as many taps in all are not. */
static void test_filters_as_large_as_the_image(void **state)
{
  (void)state;
  cnnblas_conv_desc whole = {.n = 3, .c = 8, .k = 20, .size = {3, 3}, .kernel = {3, 3}}, larger = whole;
  cnnblas_conv_desc pointwise = {.n = 3, .c = 72, .k = 20, .size = {1, 1}, .kernel = {1, 1}};
  larger.size[0] = larger.size[1] = 7;
  const cnnblas_conv_desc *descs[] = {&whole, &larger};
  for (int by = 0; by < 4; by++) {
    const char *form = forms[by / 2];
    size_t bytes;
    void *packed = packed_of(descs[by % 2], 2, form, &bytes);
    for (int in = 0; in < 2; in++) {
      cnnblas_conv_plan *raw = plan_of(descs[in], 0, 1, IMPLICIT_GEMM), *ready = plan_of(descs[in], 1, 2, form);
      cnnblas_conv_shape shape;
      ASSERT_OK(cnnblas_conv_get_shape(descs[in], &shape));
      ASSERT_OK(cnnblas_conv_forward(raw, 3, x, w, NULL, y[0], NULL, 0));
      ASSERT_OK(cnnblas_conv_forward_packed(ready, 3, x, packed, NULL, y[1], NULL, 0));
      assert_memory_equal(y[0], y[1], (size_t)shape.y_elements * sizeof(float));
      cnnblas_conv_plan_destroy(raw);
      cnnblas_conv_plan_destroy(ready);
    }
    cnnblas_conv_plan *other = plan_of(&pointwise, 1, 1, form);
    expect(cnnblas_conv_forward_packed(other, 3, x, packed, NULL, y[1], NULL, 0), CNNBLAS_INVALID_ARGUMENT,
           "c 8, groups 1, kernel 1x3x3; the plan's are implicit_gemm");
    cnnblas_conv_plan_destroy(other);
    free(packed);
  }
}

/* What one orientation of implicit_gemm has packed another takes, where both pack in the same form. */
static void test_orientations_share(void **state)
{
  (void)state;
  static const char *const names[] = {IMPLICIT_GEMM_CHANNELS, IMPLICIT_GEMM_PIXELS};
  cnnblas_conv_desc d = {.n = 2, .c = 8, .k = 40, .size = {20, 20}, .kernel = {3, 3}};
  const size_t bytes_y = sizeof(float) * 2 * 40 * 18 * 18;
  cnnblas_conv_plan *raw = plan_of(&d, 0, 1, names[0]);
  ASSERT_OK(cnnblas_conv_forward(raw, 2, x, w, NULL, y[0], NULL, 0));
  for (int by = 0; by < 2; by++)
    for (int in = 0; in < 2; in++) {
      size_t bytes;
      cnnblas_conv_plan *packer = plan_of(&d, 1, 1, names[by]), *taker = plan_of(&d, 1, 2, names[in]);
      void *packed = packed_by(packer, &bytes);
      ASSERT_OK(cnnblas_conv_forward_packed(taker, 2, x, packed, NULL, y[1], NULL, 0));
      assert_memory_equal(y[0], y[1], bytes_y);
      cnnblas_conv_plan_destroy(packer);
      cnnblas_conv_plan_destroy(taker);
      free(packed);
    }
  cnnblas_conv_plan_destroy(raw);
}

/* Weights packed in one form are refused where the other is wanted. */
static void test_forms_are_told_apart(void **state)
{
  (void)state;
  cnnblas_conv_desc d = {.n = 1, .c = 8, .k = 40, .size = {20, 20}, .kernel = {3, 3}};
  for (int by = 0; by < 2; by++) {
    size_t bytes;
    void *packed = packed_of(&d, 1, forms[by], &bytes);
    cnnblas_conv_plan *other = plan_of(&d, 1, 1, forms[1 - by]);
    expect(cnnblas_conv_forward_packed(other, 1, x, packed, NULL, y[1], NULL, 0), CNNBLAS_INVALID_ARGUMENT,
           by ? "the plan's are implicit_gemm panels" : "the plan's are implicit_gemm tiles");
    cnnblas_conv_plan_destroy(other);
    free(packed);
  }
}

/* The bytes of the packed weights do not depend on the number of threads. */
static void test_threads_pack_alike(void **state)
{
  (void)state;
  cnnblas_conv_desc d = {.n = 8, .c = 30, .k = 70, .groups = 2, .size = {20, 20}, .kernel = {3, 3}};
  size_t bytes, again;
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    void *one = packed_of(&d, 1, forms[i], &bytes);
    for (int32_t threads = 2; threads <= 5; threads++) {
      void *more = packed_of(&d, threads, forms[i], &again);
      assert_int_equal(bytes, again);
      assert_memory_equal(one, more, bytes);
      free(more);
    }
    free(one);
  }
}

static void test_misfits(void **state)
{
  (void)state;
  cnnblas_conv_desc d = {.n = 1, .c = 8, .k = 16, .size = {9, 9}, .kernel = {3, 3}}, other = d;
  size_t bytes;
  void *packed = packed_of(&d, 2, IMPLICIT_GEMM_CHANNELS, &bytes);
  cnnblas_conv_plan *ready = plan_of(&d, 1, 1, IMPLICIT_GEMM_CHANNELS), *raw = plan_of(&d, 0, 1, NULL);
  assert_algorithm(cnnblas_conv_plan_algorithm(ready), IMPLICIT_GEMM);
  expect(cnnblas_conv_forward(ready, 1, x, w, NULL, y[0], NULL, 0), CNNBLAS_INVALID_ARGUMENT, "packed");
  expect(cnnblas_conv_forward_packed(raw, 1, x, packed, NULL, y[0], NULL, 0), CNNBLAS_INVALID_ARGUMENT,
         "packed_weights");
  expect(cnnblas_conv_forward_packed(ready, 1, x, NULL, NULL, y[0], NULL, 0), CNNBLAS_INVALID_ARGUMENT, "packed is");
  expect(cnnblas_conv_forward_packed(ready, 1, x, (char *)packed + 4, NULL, y[0], NULL, 0), CNNBLAS_INVALID_ARGUMENT,
         "aligned");
  expect(cnnblas_conv_forward_packed(ready, 1, x, packed, NULL, packed, NULL, 0), CNNBLAS_INVALID_ARGUMENT, "overlaps");
  expect(cnnblas_conv_plan_pack_weights(ready, NULL, packed, bytes), CNNBLAS_INVALID_ARGUMENT, "w is NULL");
  expect(cnnblas_conv_plan_pack_weights(ready, w, packed, bytes - 1), CNNBLAS_INVALID_ARGUMENT, "bytes is");
  expect(cnnblas_conv_plan_pack_weights(ready, w, NULL, bytes), CNNBLAS_INVALID_ARGUMENT, "packed is");
  expect(cnnblas_conv_plan_pack_weights(ready, w, (char *)packed + 4, bytes), CNNBLAS_INVALID_ARGUMENT, "aligned");
  expect(cnnblas_conv_plan_pack_weights(ready, packed, packed, bytes), CNNBLAS_INVALID_ARGUMENT, "overlaps");
  expect(cnnblas_conv_plan_pack_weights(raw, w, packed, bytes), CNNBLAS_INVALID_ARGUMENT, "packed_weights");
  expect(cnnblas_conv_plan_pack_weights(NULL, w, packed, bytes), CNNBLAS_INVALID_ARGUMENT, "plan is NULL");
  expect(cnnblas_conv_plan_packed_bytes(ready, NULL), CNNBLAS_INVALID_ARGUMENT, "bytes is NULL");
  expect(cnnblas_conv_plan_packed_bytes(raw, &bytes), CNNBLAS_INVALID_ARGUMENT, "packed_weights");
  expect(cnnblas_conv_plan_packed_bytes(NULL, &bytes), CNNBLAS_INVALID_ARGUMENT, "plan is NULL");
  other.k = 17;
  void *wrong = packed_of(&other, 1, IMPLICIT_GEMM_CHANNELS, &bytes);
  expect(cnnblas_conv_forward_packed(ready, 1, x, wrong, NULL, y[0], NULL, 0), CNNBLAS_INVALID_ARGUMENT, "k 17");
  expect(cnnblas_conv_forward_packed(ready, 1, x, wrong, NULL, y[0], NULL, 0), CNNBLAS_INVALID_ARGUMENT,
         "kernel 1x3x3; the plan's are implicit_gemm panels");
  memset(wrong, 'z', 64);
  expect(cnnblas_conv_forward_packed(ready, 1, x, wrong, NULL, y[0], NULL, 0), CNNBLAS_INVALID_ARGUMENT,
         "does not hold");
  cnnblas_conv_options o = {.packed_weights = 1, .algorithm = NAIVE};
  cnnblas_conv_plan *none = NULL;
  expect(cnnblas_conv_plan_create(&d, CNNBLAS_FORWARD, &o, &none), CNNBLAS_UNSUPPORTED, "not packed");
  o.algorithm = NULL;
  expect(cnnblas_conv_plan_create(&d, CNNBLAS_BACKWARD_WEIGHTS, &o, &none), CNNBLAS_INVALID_ARGUMENT,
         "reads no weights");
  o.algorithm = IMPLICIT_GEMM_CHANNELS;
  expect(cnnblas_conv_plan_create(&d, CNNBLAS_BACKWARD_DATA, &o, &none), CNNBLAS_UNSUPPORTED, "not packed");
  o.algorithm = NULL;
  o.packed_weights = 2;
  expect(cnnblas_conv_plan_create(&d, CNNBLAS_FORWARD, &o, &none), CNNBLAS_INVALID_ARGUMENT, "packed_weights is 2");
  assert_null(none);
  cnnblas_conv_plan_destroy(ready);
  cnnblas_conv_plan_destroy(raw);
  free(packed);
  free(wrong);
}

/* Minimal filtering transforms rotated filters into others: one mode's packed weights are not the other's. */
static void test_rotated_filters(void **state)
{
  (void)state;
  cnnblas_conv_desc d = {.n = 1, .c = 8, .k = 16, .size = {9, 9}, .kernel = {3, 3}};
  cnnblas_conv_plan *straight = plan_of(&d, 1, 1, WINOGRAD);
  d.mode = CNNBLAS_TRUE_CONVOLUTION;
  cnnblas_conv_plan *rotated = plan_of(&d, 1, 1, WINOGRAD);
  size_t bytes;
  void *packed = packed_by(straight, &bytes);
  expect(cnnblas_conv_forward_packed(rotated, 1, x, packed, NULL, y[0], NULL, 0), CNNBLAS_INVALID_ARGUMENT,
         "the plan's are winograd rotated");
  cnnblas_conv_plan_destroy(straight);
  cnnblas_conv_plan_destroy(rotated);
  free(packed);
}

int main(void)
{
  seed = rng_seed(20240901);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_buffer_for_many_shapes),
                                     cmocka_unit_test(test_large_panels),
                                     cmocka_unit_test(test_taps_that_no_output_reaches),
                                     cmocka_unit_test(test_who_packs),
                                     cmocka_unit_test(test_filters_as_large_as_the_image),
                                     cmocka_unit_test(test_orientations_share),
                                     cmocka_unit_test(test_forms_are_told_apart),
                                     cmocka_unit_test(test_threads_pack_alike),
                                     cmocka_unit_test(test_rotated_filters),
                                     cmocka_unit_test(test_misfits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
