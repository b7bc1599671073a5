/* What is no model, or one that contradicts itself: an error that names the node, and no memory beyond the file's share. */
#include "support/harness.h"

#include "array_elements.h"
#include "compare.h"
#include "writer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SIZE(...)  ((const int64_t[]){__VA_ARGS__}), (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

/* AddressSanitizer's own settings: an allocation that is too large fails, as it does without it, instead of ending the test. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
  return "allocator_may_return_null=1";
}

/* A convolution, a reshape by a constant, a product. */
static writer small_model(void)
{
  writer g = {0}, a = {0};
  const float w[2 * 1 * 2 * 2] = {1, 2, 3, 4, 5, 6, 7, 8}, m[18 * 2] = {1, 2, 3};
  const int64_t shape[] = {1, -1};
  writer_value(&g, WRITER_INPUT, "x", WRITER_F32, SIZE(1, 1, 4, 4));
  writer_value(&g, WRITER_OUTPUT, "y", WRITER_F32, SIZE(1, 2));
  writer_tensor(&g, "w", WRITER_F32, SIZE(2, 1, 2, 2), w, sizeof w);
  writer_tensor(&g, "shape", WRITER_I64, SIZE(2), shape, sizeof shape);
  writer_tensor(&g, "m", WRITER_F32, SIZE(18, 2), m, sizeof m);
  writer_attribute_ints(&a, "strides", SIZE(1, 1));
  writer_node(&g, "Conv", "first", NAMES("x", "w"), NAMES("c"), &a);
  writer_node(&g, "Reshape", "second", NAMES("c", "shape"), NAMES("r"), NULL);
  writer_node(&g, "MatMul", "third", NAMES("r", "m"), NAMES("y"), NULL);
  return writer_model(&g, 13);
}

/* Loads, and runs what loads; whatever comes of it, nothing breaks and an error has words. */
static cnnblas_status try(const uint8_t *bytes, size_t count)
{
  static const float x[4096];
  cnnblas_onnx *model = NULL;
  cnnblas_status status = cnnblas_onnx_load_bytes(bytes, count, NULL, &model);
  if (status) {
    assert_null(model);
    assert_true(*cnnblas_last_error());
    return status;
  }
  cnnblas_onnx_array in = {0}, out = {0};
  if (!cnnblas_onnx_get_input(model, 0, &in)) {
    int64_t n = 1;
    for (int i = 0; i < in.rank && n <= 4096; i++)
      n *= in.size[i] < 0 ? (in.size[i] = 1) : in.size[i] > 4096 ? 4097 : in.size[i];
    in.data = x;
    if (n <= 256) cnnblas_onnx_run(model, &in, 1, &out, 1);
  }
  cnnblas_onnx_destroy(model);
  return status;
}

static void refused(writer *graph, cnnblas_status wanted, const char *words)
{
  writer model = writer_model(graph, 13);
  cnnblas_status status = try(model.bytes, model.count);
  free(model.bytes);
  if (status != wanted || !strstr(cnnblas_last_error(), words))
    fail_msg("%s: %s; wanted %s and \"%s\"", cnnblas_status_string(status), cnnblas_last_error(),
             cnnblas_status_string(wanted), words);
}

static void cut_anywhere(void **state)
{
  writer m = small_model();
  (void)state;
  assert_int_equal(try(m.bytes, m.count), CNNBLAS_OK);
  for (size_t count = 0; count < m.count; count++) {
    uint8_t *copy = malloc(count + 1); /* of its own, so that a reader beyond its end is seen */
    memcpy(copy, m.bytes, count);
    harness_doing("cut at %zu", count);
    try(copy, count);
    free(copy);
  }
  free(m.bytes);
}

static void bits_flipped(void **state)
{
  writer m = small_model();
  (void)state;
  for (size_t bit = 0; bit < 8 * m.count; bit++) {
    harness_doing("bit %zu", bit);
    m.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    try(m.bytes, m.count);
    m.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  assert_int_equal(try(m.bytes, m.count), CNNBLAS_OK);
  free(m.bytes);
}

static void contradictions_name_their_node(void **state)
{
  writer g = {0};
  (void)state;
  writer_value(&g, WRITER_INPUT, "x", WRITER_F32, SIZE(1, 4));
  writer_node(&g, "Add", "ring", NAMES("x", "b"), NAMES("a"), NULL);
  writer_node(&g, "Relu", "back", NAMES("a"), NAMES("b"), NULL);
  writer_value(&g, WRITER_OUTPUT, "b", WRITER_F32, SIZE(1, 4));
  refused(&g, CNNBLAS_BAD_FORMAT, "Add ring: it reads b, which it or a node behind it makes: a cycle");

  writer_node(&g, "Relu", "lonely", NAMES("gone"), NAMES("b"), NULL);
  refused(&g, CNNBLAS_BAD_FORMAT, "Relu lonely: it reads gone, which nothing makes");

  writer_value(&g, WRITER_INPUT, "x", WRITER_F32, SIZE(1, 4));
  writer_value(&g, WRITER_INPUT, "z", WRITER_F32, SIZE(1, 3));
  writer_node(&g, "Add", "odd", NAMES("x", "z"), NAMES("a"), NULL);
  refused(&g, CNNBLAS_BAD_FORMAT, "Add odd: its inputs' shapes do not fit");

  writer_value(&g, WRITER_INPUT, "x", WRITER_F32, SIZE(1, 4));
  writer_node(&g, "Relu", "one", NAMES("x"), NAMES("a"), NULL);
  writer_node(&g, "Relu", "two", NAMES("x"), NAMES("a"), NULL);
  refused(&g, CNNBLAS_BAD_FORMAT, "Relu two: a is made twice");

  writer_value(&g, WRITER_OUTPUT, "y", WRITER_F32, SIZE(1, 4));
  refused(&g, CNNBLAS_BAD_FORMAT, "nothing makes the output y");
}

static void huge_sizes_are_errors(void **state)
{
  writer g = {0};
  const int64_t huge = INT64_C(1) << 40;
  (void)state;
  writer_value(&g, WRITER_INPUT, "x", WRITER_F32, SIZE(huge, huge));
  writer_node(&g, "Relu", "big", NAMES("x"), NAMES("y"), NULL);
  refused(&g, CNNBLAS_SIZE_OVERFLOW, "input x");

  const int64_t shape[] = {huge, 1 << 10};
  writer_tensor(&g, "s", WRITER_I64, SIZE(2), shape, sizeof shape);
  writer_node(&g, "ConstantOfShape", "fill", NAMES("s"), NAMES("f"), NULL);
  writer_node(&g, "Relu", "big", NAMES("f"), NAMES("y"), NULL);
  writer_value(&g, WRITER_OUTPUT, "y", WRITER_F32, SIZE(huge, 1 << 10));
  refused(&g, CNNBLAS_OUT_OF_MEMORY, "ConstantOfShape fill: out of memory");

  writer_tensor(&g, "w", WRITER_F32, SIZE(50, 1 << 20), "abc", 3); /* 200 MB in three bytes */
  refused(&g, CNNBLAS_BAD_FORMAT, "tensor w: 3 bytes; its shape needs 209715200");
}

static void nesting_and_numbers_are_bounded(void **state)
{
  writer inner = {0};
  (void)state;
  for (int i = 0; i < 100; i++) { /* a graph in an attribute of a node of a graph */
    writer attribute = {0}, node = {0}, graph = {0};
    writer_message(&attribute, 6, &inner);
    writer_message(&node, 5, &attribute);
    writer_message(&graph, 1, &node);
    inner = graph;
  }
  refused(&inner, CNNBLAS_BAD_FORMAT, "messages nest deeper than 64");

  writer many = {0}, nothing = {0};
  for (int i = 0; i < 1 << 20; i++) writer_message(&many, 1, &nothing);
  refused(&many, CNNBLAS_BAD_FORMAT, "its messages take more than");
}

static void missing_operators_are_listed(void **state)
{
  writer g = {0};
  (void)state;
  writer_value(&g, WRITER_INPUT, "x", WRITER_F32, SIZE(1, 4));
  writer_node(&g, "Relu", "r", NAMES("x"), NAMES("a"), NULL);
  writer_node(&g, "Wobble", "first", NAMES("a"), NAMES("b"), NULL);
  writer_node(&g, "Wobble", "again", NAMES("b"), NAMES("c"), NULL);
  writer_node(&g, "Loop", "last", NAMES("c"), NAMES("y"), NULL);
  refused(&g, CNNBLAS_UNSUPPORTED, "not supported in version 13: Wobble (first, again), Loop (last)");
}

/* More operators and nodes than a sentence holds: those that are left out are counted. */
static void long_lists_are_cut(void **state)
{
  writer g = {0};
  char op[32], name[32];
  (void)state;
  for (int i = 0; i < 300; i++) {
    snprintf(op, sizeof op, "Wobble%d", i / 10);
    snprintf(name, sizeof name, "node%d", i);
    writer_node(&g, op, name, NAMES("x"), NAMES(name), NULL);
  }
  refused(&g, CNNBLAS_UNSUPPORTED, "Wobble0 (node0, node1, node2, node3, ");
  assert_non_null(strstr(cnnblas_last_error(), "Wobble3 (node30 and 9 more), "));
  assert_non_null(strstr(cnnblas_last_error(), " others"));
}

static void newer_versions_are_refused(void **state)
{
  writer g = {0};
  (void)state;
  writer_value(&g, WRITER_INPUT, "x", WRITER_F32, SIZE(1, 4));
  writer_node(&g, "Relu", "r", NAMES("x"), NAMES("y"), NULL);
  writer m = writer_model(&g, 99);
  assert_int_equal(try(m.bytes, m.count), CNNBLAS_UNSUPPORTED);
  assert_string_equal(cnnblas_last_error(), "the model imports version 99 of ai.onnx; the newest that is known is 17");
  free(m.bytes);
}

/* Loads a model whose bias lies in a file beside it, 16 bytes in. */
static cnnblas_status load_outside(const char *folder, const char *location, cnnblas_onnx **model)
{
  writer g = {0}, t = {0}, where = {0}, offset = {0};
  writer_value(&g, WRITER_INPUT, "x", WRITER_F32, SIZE(1, 4));
  writer_value(&g, WRITER_OUTPUT, "y", WRITER_F32, SIZE(1, 4));
  writer_number(&t, 1, 4);
  writer_number(&t, 2, WRITER_F32);
  writer_text(&t, 8, "b");
  writer_text(&where, 1, "location");
  writer_text(&where, 2, location);
  writer_message(&t, 13, &where);
  writer_text(&offset, 1, "offset");
  writer_text(&offset, 2, "16");
  writer_message(&t, 13, &offset);
  writer_number(&t, 14, 1);
  writer_message(&g, 5, &t);
  writer_node(&g, "Add", "sum", NAMES("x", "b"), NAMES("y"), NULL);
  writer m = writer_model(&g, 13);
  cnnblas_status status = cnnblas_onnx_load_bytes(m.bytes, m.count, &(cnnblas_onnx_options){.folder = folder}, model);
  free(m.bytes);
  return status;
}

static void constants_may_lie_outside(void **state)
{
  char folder[] = "/tmp/cnnblas_onnx_XXXXXX", path[64];
  const float outside[] = {9, 9, 9, 9, 1, 2, 3, 4}, x[] = {10, 20, 30, 40};
  cnnblas_onnx *model = NULL;
  (void)state;
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/b.bin", folder);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  fwrite(outside, sizeof outside, 1, file);
  fclose(file);
  ASSERT_OK(load_outside(folder, "b.bin", &model));
  cnnblas_onnx_array in = {.rank = 2, .size = {1, 4}, .data = x}, out = {0};
  ASSERT_OK(cnnblas_onnx_run(model, &in, 1, &out, 1));
  for (int i = 0; i < 4; i++) assert_true(array_at(&out, i) == 11 * (i + 1));
  cnnblas_onnx_destroy(model);
  assert_int_equal(load_outside(folder, "c.bin", &model), CNNBLAS_IO_ERROR);
  assert_int_equal(load_outside(folder, "../b.bin", &model), CNNBLAS_BAD_FORMAT);
  assert_int_equal(load_outside(folder, path, &model), CNNBLAS_BAD_FORMAT);
  assert_int_equal(load_outside(NULL, "b.bin", &model), CNNBLAS_BAD_FORMAT);
  assert_int_equal(truncate(path, 31), 0);
  assert_int_equal(load_outside(folder, "b.bin", &model), CNNBLAS_BAD_FORMAT);
  remove(path);
  remove(folder);
}

static void calls_check_their_arguments(void **state)
{
  writer m = small_model();
  cnnblas_onnx *model = NULL;
  float x[16] = {0};
  cnnblas_onnx_array in = {.rank = 4, .size = {1, 1, 4, 4}, .data = x}, out = {0};
  (void)state;
  assert_int_equal(cnnblas_onnx_load(NULL, NULL, &model), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_onnx_load("/nowhere/at/all", NULL, &model), CNNBLAS_IO_ERROR);
  assert_int_equal(cnnblas_onnx_load_bytes(m.bytes, m.count, &(cnnblas_onnx_options){.threads = -1}, &model),
                   CNNBLAS_INVALID_ARGUMENT);
  ASSERT_OK(cnnblas_onnx_load_bytes(m.bytes, m.count, NULL, &model));
  ASSERT_OK(cnnblas_onnx_run(model, &in, 1, &out, 1));
  assert_int_equal(out.rank, 2);
  assert_int_equal(cnnblas_onnx_run(model, &in, 0, &out, 1), CNNBLAS_INVALID_ARGUMENT);
  in.name = "z";
  assert_int_equal(cnnblas_onnx_run(model, &in, 1, &out, 1), CNNBLAS_INVALID_ARGUMENT);
  in.name = "x";
  in.size[2] = 5;
  assert_int_equal(cnnblas_onnx_run(model, &in, 1, &out, 1), CNNBLAS_INVALID_ARGUMENT);
  in.size[2] = 4;
  in.type = CNNBLAS_ONNX_F64;
  assert_int_equal(cnnblas_onnx_run(model, &in, 1, &out, 1), CNNBLAS_INVALID_ARGUMENT);
  out.name = "x";
  assert_int_equal(cnnblas_onnx_run(model, &in, 1, &out, 1), CNNBLAS_INVALID_ARGUMENT);
  cnnblas_onnx_destroy(model);
  free(m.bytes);
}

/* Dimensions that the model names: given at load, or by each run. */
static void sizes_may_change(void **state)
{
  writer g = {0};
  cnnblas_onnx *model = NULL;
  cnnblas_onnx_info info;
  float x[3][4] = {{1, -2, 3, -4}};
  (void)state;
  writer_value(&g, WRITER_INPUT, "x", WRITER_F32, SIZE(-1, 4));
  writer_value(&g, WRITER_OUTPUT, "y", WRITER_F32, SIZE(-1, 4));
  writer_node(&g, "Relu", "r", NAMES("x"), NAMES("y"), NULL);
  writer m = writer_model(&g, 13);
  ASSERT_OK(cnnblas_onnx_load_bytes(m.bytes, m.count, NULL, &model));
  ASSERT_OK(cnnblas_onnx_get_info(model, &info));
  assert_int_equal(info.planned, 0);
  for (int n = 1; n <= 3; n++) {
    cnnblas_onnx_array in = {.rank = 2, .size = {n, 4}, .data = x}, out = {0};
    ASSERT_OK(cnnblas_onnx_run(model, &in, 1, &out, 1));
    ASSERT_OK(cnnblas_onnx_run(model, &in, 1, &out, 1));
    assert_int_equal(out.size[0], n);
    assert_true(array_at(&out, 2) == 3);
  }
  ASSERT_OK(cnnblas_onnx_get_info(model, &info));
  assert_int_equal(info.plans, 3);
  cnnblas_onnx_destroy(model);
  const cnnblas_onnx_dimension n = {"n", 2};
  ASSERT_OK(cnnblas_onnx_load_bytes(m.bytes, m.count, &(cnnblas_onnx_options){.dimensions = &n, .dimension_count = 1},
                                    &model));
  ASSERT_OK(cnnblas_onnx_get_info(model, &info));
  assert_int_equal(info.planned, 1);
  cnnblas_onnx_destroy(model);
  free(m.bytes);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(cut_anywhere),
                                     cmocka_unit_test(bits_flipped),
                                     cmocka_unit_test(contradictions_name_their_node),
                                     cmocka_unit_test(huge_sizes_are_errors),
                                     cmocka_unit_test(nesting_and_numbers_are_bounded),
                                     cmocka_unit_test(missing_operators_are_listed),
                                     cmocka_unit_test(long_lists_are_cut),
                                     cmocka_unit_test(newer_versions_are_refused),
                                     cmocka_unit_test(constants_may_lie_outside),
                                     cmocka_unit_test(calls_check_their_arguments),
                                     cmocka_unit_test(sizes_may_change)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
