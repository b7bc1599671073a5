/* The safetensors reader and the model files on it: cut, flipped, lied to; what they say is checked too. */
#include "checkpoint.h"
#include "faults.h"
#include "io/safetensors.h"
#include "io/system.h"
#include "model.h"
#include "support/harness.h"
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 65536 };
static const char net_text[] = "INPUT 1x6x6 -> CONV 2@3x3 -> RELU -> POOL max 2 -> FC 3";
static char path[64];
static uint8_t file[ROOM];
static size_t file_bytes;

/* A checkpoint on disk and in memory: it has everything that a model has, and more. */
static int write_model(void **state)
{
  (void)state;
  cnnblas_net_options o = {.seed = 3, .batch = 4};
  cnnblas_net *net;
  io_error error;
  model_data about = {.norm = {.channels = 1, .mean = {3}, .scale = {0.5}, .white = 255}};
  train_settings settings = {.seed = 3, .batch = 4, .epochs = 5, .lr = 0.1, .momentum = 0.9};
  train_row row = {.epoch = 1, .lr = 0.1, .loss = 1, .correct = 2, .images = 9, .test_images = 5};
  train_state run = {.epoch = 1, .image = 4};
  io_use_json();
  snprintf(path, sizeof path, "test_safetensors.%ld.tmp", (long)getpid());
  assert_true(settings_add_row(&run, &row));
  ASSERT_OK(cnnblas_net_create(net_text, &o, &net));
  if (model_write(path, net, &about, &(model_training){&settings, &run, NULL}, &error)) FAIL("%s", error.text);
  settings_free(&run);
  cnnblas_net_destroy(net);
  FILE *in = fopen(path, "rb");
  assert_non_null(in);
  file_bytes = fread(file, 1, ROOM, in);
  fclose(in);
  assert_true(file_bytes > 500 && file_bytes < ROOM);
  return 0;
}

static int remove_model(void **state)
{
  (void)state;
  return unlink(path);
}

/* Parses and makes the network from memory that ends with the file. */
static io_status load(const uint8_t *bytes, size_t count, cnnblas_net **net, io_error *error)
{
  uint8_t *copy = malloc(count ? count : 1);
  st_file parsed = {0};
  model_data about = {0};
  model_use use = {.mode = CNNBLAS_NET_TRAINING};
  assert_non_null(copy);
  memcpy(copy, bytes, count);
  snprintf(error->text, sizeof error->text, "(none)");
  *net = NULL;
  io_status status = st_parse("the file", copy, count, &parsed, error);
  if (!status) status = model_make("the file", &parsed, &use, net, &about, error);
  model_data_free(&about);
  if (!status && model_is_checkpoint(&parsed)) {
    train_settings settings;
    train_state run;
    status = model_read_run("the file", &parsed, &settings, &run, error);
    if (!status) settings_free(&run);
    if (status) cnnblas_net_destroy(*net);
    if (status) *net = NULL;
  }
  st_free(&parsed);
  free(copy);
  if (status) assert_null(*net);
  if (status && strncmp(error->text, "the file: ", 10) != 0) FAIL("%s", error->text);
  return status;
}

static void what_was_written_is_read(void **state)
{
  (void)state;
  cnnblas_net_options o = {.seed = 3, .batch = 4};
  cnnblas_net *was, *is;
  cnnblas_net_info info;
  io_error error;
  ASSERT_OK(cnnblas_net_create(net_text, &o, &was));
  assert_int_equal(load(file, file_bytes, &is, &error), IO_OK);
  ASSERT_OK(cnnblas_net_get_info(is, &info));
  assert_true(info.batch == 4 && info.tensors == 4);
  assert_string_equal(cnnblas_net_text(is), net_text);
  for (int64_t t = 0; t < info.tensors; t++) {
    cnnblas_net_tensor a, b;
    ASSERT_OK(cnnblas_net_get_tensor(was, t, &a));
    ASSERT_OK(cnnblas_net_get_tensor(is, t, &b));
    assert_memory_equal(a.value, b.value, (size_t)a.elements * sizeof(float));
  }
  cnnblas_net_destroy(was);
  cnnblas_net_destroy(is);
  assert_true(file[8] == '{' && (8 + (size_t)file[0] + 256 * (size_t)file[1]) % 8 == 0);
}

static void a_run_comes_back_as_it_was(void **state)
{
  (void)state;
  st_file parsed = {0};
  io_error error;
  train_settings settings;
  train_state run;
  if (st_read(path, &parsed, &error)) FAIL("%s", error.text);
  if (model_read_run(path, &parsed, &settings, &run, &error)) FAIL("%s", error.text);
  assert_true(settings.seed == 3 && settings.batch == 4 && settings.epochs == 5 && settings.lr == 0.1);
  assert_true(settings.momentum == 0.9 && run.epoch == 1 && run.image == 4 && run.row_count == 1);
  assert_true(run.rows[0].images == 9 && run.rows[0].lr == 0.1);
  settings_free(&run);
  st_free(&parsed);
}

static void cut_anywhere_it_is_refused(void **state)
{
  (void)state;
  for (size_t count = 0; count < file_bytes; count++) {
    cnnblas_net *net;
    io_error error;
    harness_doing("the first %zu bytes", count);
    assert_int_equal(load(file, count, &net, &error), IO_BAD_INPUT);
  }
  static uint8_t longer[ROOM + 1];
  cnnblas_net *net;
  io_error error;
  memcpy(longer, file, file_bytes);
  assert_int_equal(load(longer, file_bytes + 1, &net, &error), IO_BAD_INPUT);
}

/* No flip of a bit of the header crashes or hangs; a network that comes of it has the file's tensors. */
static void flipped_headers_are_refused_or_consistent(void **state)
{
  (void)state;
  static uint8_t flipped[ROOM];
  size_t header = 8 + (size_t)file[0] + 256 * (size_t)file[1];
  long refused = 0, accepted = 0;
  for (size_t at = 0; at < header; at++)
    for (int bit = 0; bit < 8; bit++) {
      cnnblas_net *net;
      cnnblas_net_info info;
      io_error error;
      memcpy(flipped, file, file_bytes);
      flipped[at] ^= (uint8_t)(1 << bit);
      harness_doing("bit %d of byte %zu flipped", bit, at);
      io_status status = load(flipped, file_bytes, &net, &error);
      refused += status == IO_BAD_INPUT;
      accepted += status == IO_OK;
      if (status) continue;
      ASSERT_OK(cnnblas_net_get_info(net, &info));
      assert_true(info.tensors == 4 && info.parameters == 2 * 9 + 2 + 3 * 2 * 2 * 2 + 3);
      cnnblas_net_destroy(net);
    }
  printf("%ld flips refused, %ld harmless\n", refused, accepted);
  assert_int_equal(refused + accepted, 8 * (long)header);
  assert_true(refused > 4 * accepted);
}

/* [length][header][data bytes of zeros] */
static size_t make(uint8_t *bytes, const char *header, size_t data)
{
  size_t length = strlen(header);
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(length >> (8 * i));
  memcpy(bytes + 8, header, length);
  memset(bytes + 8 + length, 0, data);
  return 8 + length + data;
}

#define T(name, dtype, shape, from, to)                                                                                \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #from "," #to "]}"

static void wrong_structure_is_refused(void **state)
{
  (void)state;
  static const struct {
    const char *header;
    size_t data;
    const char *words; /* NULL: fine */
  } cases[] = {{"{" T("a", "F32", "[2]", 0, 8) "," T("b", "F64", "[1,1]", 8, 16) "}   ", 16, NULL},
               {"{" T("b", "F32", "[2]", 8, 16) "," T("a", "F32", "[2]", 0, 8) "}", 16, NULL},
               {"{" T("a", "F32", "[]", 0, 4) "," T("e", "F32", "[0,9]", 4, 4) "}", 4, NULL},
               {"{}", 0, NULL},
               {"{\"__metadata__\":{\"a\":\"b\"}}", 0, NULL},
               {"{\"__metadata__\":null}", 0, NULL},
               {"{}", 1, "1 bytes after the last tensor"},
               {"{" T("a", "F32", "[2]", 0, 8) "," T("a", "F32", "[2]", 8, 16) "}", 16, "duplicate"},
               {"{" T("a", "F32", "[2]", 0, 8) "," T("b", "F32", "[2]", 4, 12) "}", 12, "b overlaps a"},
               {"{" T("a", "F32", "[2]", 0, 8) "," T("b", "F32", "[2]", 0, 8) "}", 8, "overlaps"},
               {"{" T("a", "F32", "[2]", 0, 8) "," T("b", "F32", "[2]", 12, 20) "}", 20, "hole of 4 bytes before b"},
               {"{" T("a", "F32", "[2]", 4, 12) "}", 12, "hole of 4 bytes before a"},
               {"{" T("a", "F32", "[2]", 0, 8) "}", 12, "4 bytes after the last tensor"},
               {"{" T("a", "F32", "[2]", 0, 8) "}", 4, "the data are 4 bytes"},
               {"{" T("a", "F32", "[2]", 8, 0) "}", 8, "[8, 0]"},
               {"{" T("a", "F32", "[2]", -8, 0) "}", 8, "not two sizes"},
               {"{" T("a", "F32", "[2]", 0, 9223372036854775807) "}", 8, "the data are 8 bytes"},
               {"{" T("a", "F32", "[2]", 0, 99999999999999999999) "}", 8, "header, byte"},
               {"{" T("a", "F32", "[3]", 0, 8) "}", 8, "3 elements of F32, but 8 bytes"},
               {"{" T("a", "F64", "[2]", 0, 8) "}", 8, "2 elements of F64, but 8 bytes"},
               {"{" T("a", "F32", "[4294967296,4294967296]", 0, 0) "}", 0, "63 bits"},
               {"{" T("a", "F32", "[4611686018427387904]", 0, 0) "}", 0, "but 0 bytes"},
               {"{" T("a", "F32", "[4611686018427387905]", 0, 4) "}", 4, "but 4 bytes"},
               {"{" T("a", "F32", "[3037000500,3037000500,2]", 0, 0) "}", 0, "63 bits"},
               {"{" T("a", "F32", "[-2]", 0, 8) "}", 8, "shape[0] of a"},
               {"{" T("a", "F32", "[2.0]", 0, 8) "}", 8, "shape[0] of a"},
               {"{" T("a", "F32", "2", 0, 8) "}", 8, "no shape"},
               {"{" T("a", "F32", "[1,1,1,1,1,1,1,1,1]", 0, 4) "}", 4, "9 axes"},
               {"{" T("a", "F99", "[2]", 0, 8) "}", 8, "dtype F99, which is unknown"},
               {"{" T("a", "f32", "[2]", 0, 8) "}", 8, "dtype f32, which is unknown"},
               {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "no dtype"},
               {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "not two sizes"},
               {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8, "not two sizes"},
               {"{\"a\":7}", 0, "no dtype"},
               {"{\"__metadata__\":7}", 0, "not an object"},
               {"{\"__metadata__\":{\"a\":7}}", 0, "\"a\" is not a text"},
               {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "duplicate"},
               {"[]", 0, "does not begin with {"},
               {" {}", 0, "does not begin with {"},
               {"", 0, "does not begin with {"},
               {"{} x", 0, "header, byte"},
               {"{\"a\":", 0, "header, byte"},
               {"{\"\xff\":{}}", 0, "header, byte"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    static uint8_t bytes[4096];
    st_file parsed = {0};
    io_error error = {"(none)"};
    size_t count = make(bytes, cases[i].header, cases[i].data);
    harness_doing("%s with %zu bytes", cases[i].header, cases[i].data);
    io_status status = st_parse("the file", bytes, count, &parsed, &error);
    if (!cases[i].words) {
      if (status) FAIL("%s", error.text);
      st_free(&parsed);
      continue;
    }
    assert_int_equal(status, IO_BAD_INPUT);
    if (!strstr(error.text, cases[i].words)) FAIL("\"%s\" does not say \"%s\"", error.text, cases[i].words);
  }
}

static void lengths_that_lie_are_refused(void **state)
{
  (void)state;
  static const uint64_t lengths[] = {
      100000001, (uint64_t)1 << 32, (uint64_t)1 << 63, UINT64_MAX, UINT64_MAX - 7, 100000000, 3};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    uint8_t bytes[10] = "xxxxxxxx{}";
    st_file parsed = {0};
    io_error error;
    for (int b = 0; b < 8; b++) bytes[b] = (uint8_t)(lengths[i] >> (8 * b));
    assert_int_equal(st_parse("the file", bytes, sizeof bytes, &parsed, &error), IO_BAD_INPUT);
    const char *words = lengths[i] > 100000000 ? "at most 100000000" : "ends within the header";
    if (!strstr(error.text, words)) FAIL("%s", error.text);
  }
}

#define META(network, input, classes)                                                                                  \
  "{\"__metadata__\":{\"cnnblas_model\":\"1\",\"network\":\"" network "\",\"input\":\"" input                          \
  "\",\"classes\":\"" classes                                                                                          \
  "\",\"loss\":\"softmax\",\"input_mean\":\"0\",\"input_scale\":\"1\",\"input_white\":\"1\"}"

static void models_that_do_not_match_are_refused(void **state)
{
  (void)state;
  static const struct {
    const char *header;
    size_t data;
    const char *words;
  } cases[] = {
      {META("INPUT -> FC", "2", "3") "," T("fc1.weight", "F32", "[3,2]", 0, 24) "," T("fc1.bias", "F32", "[3]", 24,
                                                                                      36) "}",
       36, NULL},
      {META("INPUT -> FC", "2", "3") "," T("fc1.weight", "F64", "[3,2]", 0, 48) "," T("fc1.bias", "F64", "[3]", 48,
                                                                                      72) "}",
       72, NULL},
      {META("INPUT -> FC", "2", "3") "," T("fc1.weight", "F16", "[3,2]", 0, 12) "," T("fc1.bias", "F16", "[3]", 12,
                                                                                      18) "}",
       18, "has dtype F16; models are F32 or F64"},
      {META("INPUT -> FC", "2", "3") "," T("fc1.weight", "F32", "[3,2]", 0, 24) "," T("fc1.bias", "F64", "[3]", 24,
                                                                                      48) "}",
       48, "fc1.bias has dtype F64"},
      {META("INPUT -> FC", "2", "3") "," T("fc1.weight", "F32", "[2,3]", 0, 24) "," T("fc1.bias", "F32", "[3]", 24,
                                                                                      36) "}",
       36, "fc1.weight has not the shape"},
      {META("INPUT -> FC", "2", "3") "," T("fc1.weight", "F32", "[6]", 0, 24) "," T("fc1.bias", "F32", "[3]", 24,
                                                                                    36) "}",
       36, "fc1.weight has not the shape"},
      {META("INPUT -> FC", "2", "3") "," T("fc1.weight", "F32", "[3,2]", 0, 24) "," T("fc1.bios", "F32", "[3]", 24,
                                                                                      36) "}",
       36, "fc1.bias, which the file lacks"},
      {META("INPUT -> FC", "2", "3") "," T("fc1.weight", "F32", "[3,2]", 0, 24) "}", 24, "1 tensors"},
      {META("INPUT -> FC", "2", "3") "}", 0, "no tensors"},
      {META("INPUT -> FC", "2", "4") "," T("fc1.weight", "F32", "[3,2]", 0, 24) "," T("fc1.bias", "F32", "[3]", 24,
                                                                                      36) "}",
       36, "has not the shape"},
      {META("INPUT -> FX", "2", "3") "," T("fc1.weight", "F32", "[3,2]", 0, 24) "}", 24, "its network: column 10"},
      {META("INPUT -> FC", "2x", "3") "}", 0, "metadata input is \"2x\""},
      {META("INPUT -> FC", "0", "3") "}", 0, "metadata input is \"0\""},
      {META("INPUT -> FC", "1x1x1x1x1", "3") "}", 0, "metadata input"},
      {META("INPUT -> FC", "2", "-3") "}", 0, "metadata classes is \"-3\""},
      /* 10^18 weights, and a file that does not have them: no memory is asked for. */
      {META("INPUT -> FC 1000000000 -> FC", "1000000000", "3") "," T("fc1.weight", "F32", "[3,2]", 0, 24) "}", 24,
       "its network"},
      {"{\"__metadata__\":{\"format\":\"pt\"}}", 0, "lack network"},
      {"{\"__metadata__\":{\"cnnblas_model\":\"2\",\"network\":\"x\"}}", 0, "metadata cnnblas_model is \"2\""},
      {"{}", 0, "lack network"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    static uint8_t bytes[4096];
    cnnblas_net *net;
    io_error error;
    size_t count = make(bytes, cases[i].header, cases[i].data);
    harness_doing("%s", cases[i].header);
    io_status status = load(bytes, count, &net, &error);
    cnnblas_net_destroy(net);
    if (!cases[i].words) {
      if (status) FAIL("%s", error.text);
      continue;
    }
    if (status != IO_BAD_INPUT && !(status == IO_NO_ROOM && strstr(cases[i].header, "1000000000")))
      FAIL("%s", error.text);
    if (!strstr(error.text, cases[i].words)) FAIL("\"%s\" does not say \"%s\"", error.text, cases[i].words);
  }
}

/* Two million bytes of header that would be forty as JSON; a header of as many bytes that is one long text is read. */
static void a_header_takes_little_more_memory_than_its_size(void **state)
{
  (void)state;
  enum { BYTES = 2000000 };
  static uint8_t bytes[BYTES + 8];
  const uint64_t length = htole64(BYTES);
  st_file parsed = {0};
  io_error error;
  memcpy(bytes, &length, 8);
  for (int i = 8; i < BYTES + 8; i++) bytes[i] = i % 2 ? '0' : ',';
  memcpy(bytes + 8, "{\"ab\":[", 7);
  memcpy(bytes + BYTES + 6, "]}", 2);
  long before = faults_live();
  assert_int_equal(st_parse("the file", bytes, sizeof bytes, &parsed, &error), IO_NO_ROOM);
  assert_non_null(strstr(error.text, "it takes more than 24777216 bytes"));
  assert_int_equal(faults_live(), before);

  memset(bytes + 8, 'x', BYTES);
  memcpy(bytes + 8, "{\"__metadata__\":{\"a\":\"", 22);
  memcpy(bytes + BYTES + 5, "\"}}", 3);
  if (st_parse("the file", bytes, sizeof bytes, &parsed, &error)) FAIL("%s", error.text);
  assert_int_equal(strlen(st_metadata(&parsed, "a")), BYTES - 25);
  st_free(&parsed);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_written_is_read),
                                     cmocka_unit_test(a_run_comes_back_as_it_was),
                                     cmocka_unit_test(cut_anywhere_it_is_refused),
                                     cmocka_unit_test(flipped_headers_are_refused_or_consistent),
                                     cmocka_unit_test(wrong_structure_is_refused),
                                     cmocka_unit_test(lengths_that_lie_are_refused),
                                     cmocka_unit_test(a_header_takes_little_more_memory_than_its_size),
                                     cmocka_unit_test(models_that_do_not_match_are_refused)};
  return cmocka_run_group_tests(tests, write_model, remove_model);
}
