/* Each pass: outputs agree with and without it, to rounding, and it leaves fewer nodes, fewer bytes, or packed weights. */
#include "support/harness.h"

#include "compare.h"
#include "writer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { C = 8, SIDE = 12, ALL = 255 };

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SIZE(...)  ((const int64_t[]){__VA_ARGS__}), (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void floats(writer *g, const char *name, const int64_t *size, int rank, float low, float high)
{
  int64_t n = 1;
  for (int i = 0; i < rank; i++) n *= size[i];
  float *data = malloc((size_t)n * sizeof *data);
  for (int64_t i = 0; i < n; i++)
    data[i] = low + (high - low) * (float)cnnblas_random_uniform(7, (uint64_t)name[0], (uint64_t)i);
  writer_tensor(g, name, WRITER_F32, size, rank, data, (size_t)n * sizeof *data);
  free(data);
}

static void conv(writer *g, const char *x, const char *w, const char *y)
{
  writer a = {0};
  writer_attribute_ints(&a, "pads", SIZE(1, 1, 1, 1));
  writer_node(g, "Conv", y, NAMES(x, w), NAMES(y), &a);
}

static void begin(writer *g)
{
  writer_value(g, WRITER_INPUT, "x", WRITER_F32, SIZE(2, C, SIDE, SIDE));
  floats(g, "w", SIZE(C, C, 3, 3), -0.2f, 0.2f);
}

static void end(writer *g, const char *y)
{
  writer_value(g, WRITER_OUTPUT, y, WRITER_F32, SIZE(2, C, SIDE, SIDE));
}

static void run(const writer *model, int32_t without, cnnblas_onnx **loaded, cnnblas_onnx_array *y)
{
  static float x[2 * C * SIDE * SIDE];
  for (int i = 0; i < 2 * C * SIDE * SIDE; i++) x[i] = (float)cnnblas_random_normal(1, 1, (uint64_t)i);
  cnnblas_onnx_options options = {.without = without, .accuracy = CNNBLAS_ACCURACY_EXACT};
  cnnblas_onnx_array in = {.rank = 4, .size = {2, C, SIDE, SIDE}, .data = x};
  assert_int_equal(cnnblas_onnx_load_bytes(model->bytes, model->count, &options, loaded), CNNBLAS_OK);
  assert_int_equal(cnnblas_onnx_run(*loaded, &in, 1, y, 1), CNNBLAS_OK);
}

/* Runs with all passes and with all but one; *with and *but tell of the two plans. */
static void compare(writer *graph, int32_t pass, cnnblas_onnx_info *with, cnnblas_onnx_info *but)
{
  writer model = writer_model(graph, 13);
  cnnblas_onnx *a, *b;
  cnnblas_onnx_array y = {0}, z = {0};
  char why[200] = "";
  run(&model, 0, &a, &y);
  run(&model, pass, &b, &z);
  if (!compare_arrays(&y, &z, 1e-4, 1e-5, why, sizeof why)) fail_msg("%s", why);
  assert_int_equal(cnnblas_onnx_get_info(a, with), CNNBLAS_OK);
  assert_int_equal(cnnblas_onnx_get_info(b, but), CNNBLAS_OK);
  cnnblas_onnx_destroy(a);
  cnnblas_onnx_destroy(b);
  free(model.bytes);
}

static void constants_are_folded(void **state)
{
  cnnblas_onnx_info with, but;
  writer g = {0};
  (void)state;
  begin(&g);
  floats(&g, "a", SIZE(2, C, SIDE, SIDE), -1, 1);
  writer_node(&g, "Exp", "e", NAMES("a"), NAMES("e"), NULL);
  writer_node(&g, "Add", "y", NAMES("x", "e"), NAMES("y"), NULL);
  end(&g, "y");
  compare(&g, CNNBLAS_ONNX_FOLD_CONSTANTS, &with, &but);
  assert_int_equal(with.nodes, 1);
  assert_int_equal(but.nodes, 2);
}

static void normalisations_enter_convolutions(void **state)
{
  cnnblas_onnx_info with, but;
  writer g = {0};
  (void)state;
  begin(&g);
  floats(&g, "s", SIZE(C), 0.5f, 2);
  floats(&g, "b", SIZE(C), -1, 1);
  floats(&g, "m", SIZE(C), -1, 1);
  floats(&g, "v", SIZE(C), 0.5f, 2);
  floats(&g, "k", SIZE(C, 1, 1), 0.5f, 2);
  floats(&g, "d", SIZE(1, C, 1, 1), -1, 1);
  conv(&g, "x", "w", "c");
  writer_node(&g, "BatchNormalization", "n", NAMES("c", "s", "b", "m", "v"), NAMES("n"), NULL);
  writer_node(&g, "Mul", "p", NAMES("k", "n"), NAMES("p"), NULL);
  writer_node(&g, "Div", "q", NAMES("p", "k"), NAMES("q"), NULL);
  writer_node(&g, "Add", "r", NAMES("q", "d"), NAMES("r"), NULL);
  writer_node(&g, "Sub", "y", NAMES("r", "s0"), NAMES("y"), NULL);
  floats(&g, "s0", SIZE(1), 0.25f, 0.25f);
  end(&g, "y");
  compare(&g, CNNBLAS_ONNX_FOLD_NORMALISATION, &with, &but);
  assert_int_equal(with.nodes, 1);
  assert_int_equal(but.nodes, 6);
}

/* Each factor of a long chain would copy the weights: what they may take in all is bounded, and the others stay nodes. */
static void weights_are_not_copied_without_end(void **state)
{
  enum { WIDE = 4096, FACTORS = 48 };
  static char names[FACTORS + 1][16];
  cnnblas_onnx_info with, but;
  writer g = {0};
  (void)state;
  begin(&g);
  floats(&g, "f", SIZE(1), 1.01f, 1.01f);
  floats(&g, "g", SIZE(WIDE, C, 3, 3), -0.2f, 0.2f);
  floats(&g, "h", SIZE(C, WIDE, 3, 3), -0.01f, 0.01f);
  conv(&g, "x", "g", "c00");
  strcpy(names[0], "c00");
  for (int i = 0; i < FACTORS; i++) {
    snprintf(names[i + 1], sizeof names[0], "c%02d", i + 1);
    writer_node(&g, "Mul", names[i + 1], NAMES(names[i], "f"), NAMES(names[i + 1]), NULL);
  }
  conv(&g, names[FACTORS], "h", "y");
  end(&g, "y");
  compare(&g, CNNBLAS_ONNX_FOLD_NORMALISATION, &with, &but);
  assert_int_equal(but.nodes, FACTORS + 2);
  assert_in_range(with.nodes, 3, FACTORS);
}

static void additions_and_activations_enter_the_store(void **state)
{
  cnnblas_onnx_info with, but;
  writer g = {0};
  (void)state;
  begin(&g);
  floats(&g, "u", SIZE(C, C, 3, 3), -0.2f, 0.2f);
  float low = 0, high = 6;
  writer_tensor(&g, "low", WRITER_F32, NULL, 0, &low, sizeof low);
  writer_tensor(&g, "high", WRITER_F32, NULL, 0, &high, sizeof high);
  conv(&g, "x", "w", "c");
  writer_node(&g, "Clip", "r", NAMES("c", "low", "high"), NAMES("r"), NULL);
  conv(&g, "r", "u", "d");
  conv(&g, "x", "u", "e");
  writer_node(&g, "Add", "s", NAMES("d", "e"), NAMES("s"), NULL);
  writer_node(&g, "Relu", "y", NAMES("s"), NAMES("y"), NULL);
  end(&g, "y");
  compare(&g, CNNBLAS_ONNX_FUSE_STORE, &with, &but);
  assert_int_equal(with.nodes, 3);
  assert_int_equal(but.nodes, 6);
}

static void padding_enters_convolutions(void **state)
{
  cnnblas_onnx_info with, but;
  writer g = {0};
  const int64_t pads[] = {0, 0, 1, 2, 0, 0, 1, 0};
  (void)state;
  begin(&g);
  writer_tensor(&g, "pads", WRITER_I64, SIZE(8), pads, sizeof pads);
  writer_node(&g, "Pad", "p", NAMES("x", "pads"), NAMES("p"), NULL);
  writer_node(&g, "Conv", "y", NAMES("p", "w"), NAMES("y"), NULL);
  end(&g, "y");
  compare(&g, CNNBLAS_ONNX_FOLD_PAD, &with, &but);
  assert_int_equal(with.nodes, 1);
  assert_int_equal(but.nodes, 2);
}

static void dead_nodes_are_gone(void **state)
{
  cnnblas_onnx_info with, but;
  writer g = {0};
  (void)state;
  begin(&g);
  writer_node(&g, "Relu", "y", NAMES("x"), NAMES("y"), NULL);
  conv(&g, "x", "w", "c");
  writer_node(&g, "Relu", "r", NAMES("c"), NAMES("r"), NULL);
  end(&g, "y");
  compare(&g, CNNBLAS_ONNX_DROP_DEAD | CNNBLAS_ONNX_FUSE_STORE, &with, &but);
  assert_int_equal(with.nodes, 1);
  assert_int_equal(but.nodes, 3);
}

static void outputs_lie_over_inputs(void **state)
{
  cnnblas_onnx_info with, but;
  writer g = {0};
  (void)state;
  begin(&g);
  writer_node(&g, "Exp", "a", NAMES("x"), NAMES("a"), NULL);
  writer_node(&g, "Neg", "b", NAMES("a"), NAMES("b"), NULL);
  writer_node(&g, "Add", "c", NAMES("b", "x"), NAMES("c"), NULL);
  writer_node(&g, "Mul", "d", NAMES("c", "b"), NAMES("d"), NULL); /* b is still read here */
  writer_node(&g, "Abs", "y", NAMES("d"), NAMES("y"), NULL);
  end(&g, "y");
  compare(&g, CNNBLAS_ONNX_IN_PLACE, &with, &but);
  assert_int_equal(with.nodes, 5);
  assert_true(with.block_bytes < but.block_bytes);
}

/* The convolution has so many filters that the algorithm chosen for it packs its weights, at any level. */
static void weights_are_packed_once(void **state)
{
  enum { FILTERS = 64 };
  cnnblas_onnx_info with, but;
  writer g = {0};
  (void)state;
  writer_value(&g, WRITER_INPUT, "x", WRITER_F32, SIZE(2, C, SIDE, SIDE));
  floats(&g, "f", SIZE(FILTERS, C, 3, 3), -0.2f, 0.2f);
  conv(&g, "x", "f", "y");
  writer_value(&g, WRITER_OUTPUT, "y", WRITER_F32, SIZE(2, FILTERS, SIDE, SIDE));
  compare(&g, CNNBLAS_ONNX_PACK_WEIGHTS, &with, &but);
  assert_int_equal(but.packed_bytes, 0);
  assert_true(with.packed_bytes > 0);
  assert_int_equal(with.weight_bytes, 0); /* nobody reads the others any more */
  assert_int_equal(but.weight_bytes, FILTERS * C * 9 * sizeof(float));
}

static void transpose(writer *g, const char *x, const char *y, bool last)
{
  writer a = {0};
  last ? writer_attribute_ints(&a, "perm", SIZE(0, 2, 3, 1)) : writer_attribute_ints(&a, "perm", SIZE(0, 3, 1, 2));
  writer_node(g, "Transpose", y, NAMES(x), NAMES(y), &a);
}

/* A block of a model that has channels last outside of its convolutions: a residual, a bias of the last axis. */
/* A transposed convolution's weights are packed where its algorithm packs them in each run; nobody reads the others then. */
static void transposed_weights_are_packed_once(void **state)
{
  cnnblas_onnx_info with, but;
  writer g = {0}, a = {0};
  (void)state;
  begin(&g);
  floats(&g, "t", SIZE(C, 40, 2, 2), -0.2f, 0.2f);
  writer_attribute_ints(&a, "strides", SIZE(2, 2));
  writer_node(&g, "ConvTranspose", "y", NAMES("x", "t"), NAMES("y"), &a);
  writer_value(&g, WRITER_OUTPUT, "y", WRITER_F32, SIZE(2, 40, 2 * SIDE, 2 * SIDE));
  compare(&g, CNNBLAS_ONNX_PACK_WEIGHTS, &with, &but);
  assert_int_equal(but.packed_bytes, 0);
  assert_int_equal(but.weight_bytes, C * 40 * 4 * sizeof(float));
  assert_int_equal(with.weight_bytes, with.packed_bytes ? 0 : but.weight_bytes);
}

static void transposes_are_cancelled(void **state)
{
  cnnblas_onnx_info with, but;
  writer g = {0};
  (void)state;
  begin(&g);
  floats(&g, "b", SIZE(C), -1, 1);
  floats(&g, "k", SIZE(SIDE, C), 0.5f, 2);
  conv(&g, "x", "w", "c");
  transpose(&g, "c", "c1", true);
  writer_node(&g, "Add", "c2", NAMES("c1", "b"), NAMES("c2"), NULL);
  writer_node(&g, "Relu", "c3", NAMES("c2"), NAMES("c3"), NULL);
  transpose(&g, "c3", "d0", false);
  conv(&g, "d0", "w", "d");
  transpose(&g, "d", "d1", true);
  writer_node(&g, "Add", "e", NAMES("c3", "d1"), NAMES("e"), NULL);
  writer_node(&g, "Mul", "f", NAMES("k", "e"), NAMES("f"), NULL);
  transpose(&g, "f", "y", false);
  end(&g, "y");
  compare(&g, CNNBLAS_ONNX_MOVE_TRANSPOSES, &with, &but);
  assert_int_equal(with.nodes, 3); /* two convolutions with all else in their stores, and Mul */
  assert_true(but.nodes > 7);
}

/* Three turns of three axes are none, also where the model ends in them. */
static void transposes_are_joined(void **state)
{
  cnnblas_onnx_info with, but;
  writer g = {0};
  (void)state;
  begin(&g);
  transpose(&g, "x", "", true); /* of an output that nobody may read */
  writer_node(&g, "Relu", "nobody", NAMES("x"), NAMES(""), NULL);
  transpose(&g, "x", "a", true);
  transpose(&g, "a", "b", true);
  writer_node(&g, "Exp", "c", NAMES("b"), NAMES("c"), NULL);
  transpose(&g, "c", "y", true);
  end(&g, "y");
  compare(&g, CNNBLAS_ONNX_MOVE_TRANSPOSES, &with, &but);
  assert_int_equal(with.nodes, 1);
  assert_int_equal(but.nodes, 4);
}

/* What each pass does, all together. */
static void none_changes_results(void **state)
{
  cnnblas_onnx_info with, but;
  writer g = {0};
  (void)state;
  begin(&g);
  floats(&g, "b", SIZE(1, C, 1, 1), -1, 1);
  conv(&g, "x", "w", "c");
  writer_node(&g, "Add", "a", NAMES("c", "b"), NAMES("a"), NULL);
  writer_node(&g, "Sigmoid", "s", NAMES("a"), NAMES("s"), NULL);
  writer_node(&g, "Mul", "m", NAMES("a", "s"), NAMES("m"), NULL);
  conv(&g, "m", "w", "d");
  writer_node(&g, "Add", "y", NAMES("m", "d"), NAMES("y"), NULL);
  end(&g, "y");
  compare(&g, ALL, &with, &but);
  assert_true(with.nodes < but.nodes);
}

/* y = [-[[c, e], c], c + e] along the images, with c and e read again once the array that they lie in is turned. */
static void parts_are_written_where_they_are_joined(void **state)
{
  cnnblas_onnx_info with, but;
  writer g = {0}, axis[3] = {{0}};
  (void)state;
  begin(&g);
  conv(&g, "x", "w", "c");
  writer_node(&g, "Exp", "e", NAMES("c"), NAMES("e"), NULL);
  for (int i = 0; i < 3; i++) writer_attribute_int(&axis[i], "axis", 0);
  writer_node(&g, "Concat", "t", NAMES("c", "e"), NAMES("t"), &axis[0]);
  writer_node(&g, "Concat", "q", NAMES("t", "c"), NAMES("q"), &axis[1]);
  writer_node(&g, "Neg", "r", NAMES("q"), NAMES("r"), NULL);
  writer_node(&g, "Add", "s", NAMES("c", "e"), NAMES("s"), NULL);
  writer_node(&g, "Concat", "y", NAMES("r", "s"), NAMES("y"), &axis[2]);
  writer_value(&g, WRITER_OUTPUT, "y", WRITER_F32, SIZE(8, C, SIDE, SIDE));
  compare(&g, CNNBLAS_ONNX_IN_PLACE, &with, &but);
  assert_int_equal(with.nodes, but.nodes);
  assert_true(with.block_bytes < but.block_bytes);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(constants_are_folded),
                                     cmocka_unit_test(parts_are_written_where_they_are_joined),
                                     cmocka_unit_test(normalisations_enter_convolutions),
                                     cmocka_unit_test(weights_are_not_copied_without_end),
                                     cmocka_unit_test(additions_and_activations_enter_the_store),
                                     cmocka_unit_test(padding_enters_convolutions),
                                     cmocka_unit_test(dead_nodes_are_gone),
                                     cmocka_unit_test(outputs_lie_over_inputs),
                                     cmocka_unit_test(weights_are_packed_once),
                                     cmocka_unit_test(transposed_weights_are_packed_once),
                                     cmocka_unit_test(transposes_are_cancelled),
                                     cmocka_unit_test(transposes_are_joined),
                                     cmocka_unit_test(none_changes_results)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
