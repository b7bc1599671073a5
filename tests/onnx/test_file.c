/* Models from files: large constants are read to where they stay, and what comes of it is what comes of the same bytes in
   memory. */
#include "support/harness.h"

#include "compare.h"
#include "writer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SIZE(...)  ((const int64_t[]){__VA_ARGS__}), (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

enum { IN = 200, OUT = 300, RAW_DATA = 9, GRAPH = 7, INITIALIZER = 5 };

static float *values(int64_t count, uint64_t seed)
{
  float *data = malloc((size_t)count * sizeof *data);
  for (int64_t i = 0; i < count; i++) data[i] = (float)cnnblas_random_normal(seed, 0, (uint64_t)i);
  return data;
}

/* Writes a constant matrix whose elements come `times` times, others each time. */
static void constant(writer *g, const char *name, int64_t rows, int64_t columns, uint64_t seed, int times)
{
  writer t = {0};
  writer_number(&t, 1, (uint64_t)rows);
  writer_number(&t, 1, (uint64_t)columns);
  writer_number(&t, 2, WRITER_F32);
  writer_text(&t, 8, name);
  for (int i = 0; i < times; i++) {
    float *data = values(rows * columns, seed + (uint64_t)i);
    writer_bytes(&t, RAW_DATA, data, (size_t)(rows * columns) * sizeof *data);
    free(data);
  }
  writer_message(g, INITIALIZER, &t);
}

/* y = (x a + b) c: a and c are large, b lies between them and is small. The elements of a come `times` times. */
static writer two_products(int times)
{
  writer g = {0};
  writer_value(&g, WRITER_INPUT, "x", WRITER_F32, SIZE(3, IN));
  constant(&g, "a", IN, OUT, 1, times);
  constant(&g, "b", 1, OUT, 21, 1);
  writer_node(&g, "MatMul", "first", NAMES("x", "a"), NAMES("p"), NULL);
  constant(&g, "c", OUT, IN, 31, 1);
  writer_node(&g, "Add", "second", NAMES("p", "b"), NAMES("q"), NULL);
  writer_node(&g, "MatMul", "third", NAMES("q", "c"), NAMES("y"), NULL);
  writer_value(&g, WRITER_OUTPUT, "y", WRITER_F32, SIZE(3, IN));
  return g;
}

static void write_file(char *path, const uint8_t *bytes, size_t count)
{
  strcpy(path, "/tmp/test_onnx_file_XXXXXX");
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, bytes, count), (ssize_t)count);
  close(fd);
}

/* Loads and runs the model; on success *y gets the output, which the caller frees. */
static cnnblas_status outcome(const char *path, const uint8_t *bytes, size_t count, float **y, char *said)
{
  cnnblas_onnx *model = NULL;
  cnnblas_status status =
      path ? cnnblas_onnx_load(path, NULL, &model) : cnnblas_onnx_load_bytes(bytes, count, NULL, &model);
  *y = NULL;
  snprintf(said, 300, "%s", status ? cnnblas_last_error() : "");
  if (status) return status;
  float *x = values(3 * IN, 9);
  cnnblas_onnx_array in = {.rank = 2, .size = {3, IN}, .data = x}, out = {0};
  status = cnnblas_onnx_run(model, &in, 1, &out, 1);
  snprintf(said, 300, "%s", status ? cnnblas_last_error() : "");
  if (!status) {
    int64_t elements = 1;
    for (int i = 0; i < out.rank; i++) elements *= out.size[i];
    *y = calloc(3 * IN, sizeof **y);
    if (elements <= 3 * IN && out.type == CNNBLAS_ONNX_F32) memcpy(*y, out.data, (size_t)elements * sizeof **y);
  }
  cnnblas_onnx_destroy(model);
  free(x);
  return status;
}

/* The file of these bytes and the bytes themselves have the same outcome, in words and bits. Returns its status. */
static cnnblas_status same_outcome(const uint8_t *bytes, size_t count)
{
  char path[40], said[2][300];
  float *y[2];
  write_file(path, bytes, count);
  const cnnblas_status status = outcome(path, NULL, 0, &y[0], said[0]);
  assert_int_equal(outcome(NULL, bytes, count, &y[1], said[1]), status);
  unlink(path);
  if (status) {
    const char *words = strstr(said[1], ": "); /* behind the file's name, or "the model" */
    if (!strstr(said[0], words ? words : said[1])) fail_msg("\"%s\" but from memory \"%s\"", said[0], said[1]);
  } else {
    assert_memory_equal(y[0], y[1], 3 * IN * sizeof *y[0]);
  }
  free(y[0]);
  free(y[1]);
  return status;
}

static void files_are_as_bytes_in_memory(void **state)
{
  (void)state;
  writer g = two_products(1), model = writer_model(&g, 13);
  assert_int_equal(same_outcome(model.bytes, model.count), CNNBLAS_OK);
  free(model.bytes);
}

static void files_end_anywhere(void **state)
{
  (void)state;
  writer g = two_products(1), model = writer_model(&g, 13);
  for (size_t count = 0; count < model.count; count += count < 64 ? 1 : 29989) {
    harness_doing("%zu of %zu bytes", count, model.count);
    assert_int_not_equal(same_outcome(model.bytes, count), CNNBLAS_OK);
  }
  free(model.bytes);
}

/* A byte of a length, a key or a name is another one. */
static void files_are_damaged(void **state)
{
  (void)state;
  writer g = two_products(1), model = writer_model(&g, 13);
  for (size_t at = 0; at < model.count; at += at < 40 ? 1 : 29989) {
    harness_doing("byte %zu of %zu", at, model.count);
    for (int bit = 0; bit < 8; bit++) {
      if (at >= 40 && bit) break;
      model.bytes[at] ^= (uint8_t)(1 << bit);
      same_outcome(model.bytes, model.count);
      model.bytes[at] ^= (uint8_t)(1 << bit);
    }
  }
  free(model.bytes);
}

/* Of elements that a constant has twice the last ones count; graphs that a file has twice are one. */
static void parts_come_twice(void **state)
{
  (void)state;
  writer g = two_products(2), model = writer_model(&g, 13);
  assert_int_equal(same_outcome(model.bytes, model.count), CNNBLAS_OK);
  free(model.bytes);
  writer half = {0}, other = two_products(1), opset = {0};
  model = (writer){0};
  constant(&half, "alone", IN, OUT, 41, 1);
  writer_message(&model, GRAPH, &half);
  writer_message(&model, GRAPH, &other);
  writer_number(&opset, 2, 13);
  writer_message(&model, 8, &opset);
  same_outcome(model.bytes, model.count);
  free(model.bytes);
}

/* What loading a file adds to the most memory of a process, which a child tells. */
static long most_kilobytes(const char *path)
{
  int ends[2];
  long kilobytes = -1;
  assert_int_equal(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    struct rusage before, after;
    cnnblas_onnx *model = NULL;
    getrusage(RUSAGE_SELF, &before);
    const cnnblas_status status = cnnblas_onnx_load(path, NULL, &model);
    getrusage(RUSAGE_SELF, &after);
    long more = status ? -1 : after.ru_maxrss - before.ru_maxrss;
    _exit(write(ends[1], &more, sizeof more) != sizeof more);
  }
  close(ends[1]);
  assert_int_equal(read(ends[0], &kilobytes, sizeof kilobytes), sizeof kilobytes);
  close(ends[0]);
  waitpid(child, NULL, 0);
  return kilobytes;
}

static void constants_lie_in_memory_once(void **state)
{
  enum { WIDE = 8 << 20 };
  (void)state;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
  skip();
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
  skip();
#endif
#endif
  char path[40];
  writer g = {0}, turned = {0};
  writer_value(&g, WRITER_INPUT, "x", WRITER_F32, SIZE(1, WIDE));
  constant(&g, "a", 1, WIDE, 1, 1);
  writer_attribute_int(&turned, "transB", 1);
  writer_node(&g, "Gemm", "n", NAMES("x", "a"), NAMES("y"), &turned);
  writer_value(&g, WRITER_OUTPUT, "y", WRITER_F32, SIZE(1, 1));
  writer model = writer_model(&g, 13);
  write_file(path, model.bytes, model.count);
  const long file = (long)(model.count >> 10);
  free(model.bytes);
  const long most = most_kilobytes(path);
  unlink(path);
  assert_in_range(most, file * 9 / 10, file * 5 / 4);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(files_are_as_bytes_in_memory),
                                     cmocka_unit_test(files_end_anywhere), cmocka_unit_test(files_are_damaged),
                                     cmocka_unit_test(parts_come_twice),
                                     cmocka_unit_test(constants_lie_in_memory_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
