/*
 * Networks in files: what is saved comes back to the last bit, with normalisation and names; models of version 0.1 load;
 * damaged files are errors; a network made anew for another size of image is the one that was created so.
 */
#define _GNU_SOURCE
#include "check.h"
#include <cnnblas/net_model.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char text[] =
    "INPUT 3x8x8 -> CONV 4@3x3 pad 1 -> BN -> RELU -> ADD[ CONV 4@3x3 pad 1 -> BN | ] -> RELU -> "
    "GPOOL avg -> FC 3";
static const char *const names[] = {"cat", "dog \"Rex\"", "v\303\266gel"};
static char path[] = "/tmp/cnnblas_model_XXXXXX";

static int make_path(void **state)
{
  (void)state;
  int fd = mkstemp(path);
  return fd < 0 || close(fd);
}

static int remove_path(void **state)
{
  (void)state;
  return unlink(path);
}

static cnnblas_net *create(const char *notation, cnnblas_dtype dtype, cnnblas_net_mode mode)
{
  cnnblas_net_options o = {.dtype = dtype, .mode = mode, .batch = 4, .seed = 5};
  cnnblas_net *net;
  ASSERT_OK(cnnblas_net_create(notation, &o, &net));
  return net;
}

/* Fills count elements with numbers that differ. */
static void fill(cnnblas_dtype dtype, void *x, int64_t count)
{
  for (int64_t i = 0; i < count; i++) {
    double value = (double)(i * 7 % 13) / 13 - 0.4;
    if (dtype == CNNBLAS_F64)
      ((double *)x)[i] = value;
    else
      ((float *)x)[i] = (float)value;
  }
}

static void train(cnnblas_net *net, cnnblas_dtype dtype)
{
  double x[4 * 3 * 8 * 8];
  int32_t labels[] = {0, 1, 2, 1};
  cnnblas_net_step step = {.n = 4, .images = x, .labels = labels, .optimiser = {.lr = 0.1, .momentum = 0.9}};
  fill(dtype, x, 4 * 3 * 8 * 8);
  for (int i = 0; i < 3; i++) ASSERT_OK(cnnblas_net_train_step(net, &step, NULL));
}

static void same_tensors(const cnnblas_net *a, const cnnblas_net *b)
{
  cnnblas_net_info info;
  cnnblas_net_get_info(a, &info);
  for (int64_t i = 0; i < info.tensors; i++) {
    cnnblas_net_tensor s, t;
    ASSERT_OK(cnnblas_net_get_tensor(a, i, &s));
    ASSERT_OK(cnnblas_net_get_tensor(b, i, &t));
    assert_string_equal(s.name, t.name);
    assert_memory_equal(s.value, t.value, (size_t)s.elements * (info.dtype == CNNBLAS_F64 ? 8 : 4));
  }
}

static void same_logits(cnnblas_net *a, cnnblas_net *b, cnnblas_dtype dtype)
{
  double x[4 * 3 * 12 * 12], y[2][4 * 3] = {{0}};
  fill(dtype, x, 4 * 3 * 12 * 12);
  ASSERT_OK(cnnblas_net_forward(a, 4, x, y[0]));
  ASSERT_OK(cnnblas_net_forward(b, 4, x, y[1]));
  assert_memory_equal(y[0], y[1], sizeof y[0]);
}

static void test_saved_and_loaded(void **state)
{
  (void)state;
  setlocale(LC_ALL, ""); /* where numbers have commas, files do not */
  for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++) {
    cnnblas_net *net = create(text, dtype == CNNBLAS_F32 ? CNNBLAS_F32 : CNNBLAS_F64, CNNBLAS_NET_TRAINING), *other;
    cnnblas_net_options o = {.batch = 4};
    cnnblas_net_normalisation norm = {.channels = 3, .mean = {125.3, 0.1, 1e-9}, .scale = {0.1, -3, 1.0 / 3}}, got;
    norm.white = 254.5;
    train(net, (cnnblas_dtype)dtype);
    ASSERT_OK(cnnblas_net_set_normalisation(net, &norm));
    ASSERT_OK(cnnblas_net_set_class_names(net, names, 3));
    ASSERT_OK(cnnblas_net_save(net, path));
    ASSERT_OK(cnnblas_net_load(path, &o, &other));
    same_tensors(net, other);
    same_logits(net, other, (cnnblas_dtype)dtype);
    ASSERT_OK(cnnblas_net_get_normalisation(other, &got));
    assert_memory_equal(&norm, &got, sizeof got);
    for (int i = 0; i < 3; i++) assert_string_equal(cnnblas_net_class_name(other, i), names[i]);
    assert_string_equal(cnnblas_net_class_name(other, 3), "");
    assert_string_equal(cnnblas_net_text(other), text);
    train(other, (cnnblas_dtype)dtype); /* it goes on */
    cnnblas_net_destroy(other);
    ASSERT_OK(cnnblas_net_load(path, NULL, &other));
    cnnblas_net_info info;
    ASSERT_OK(cnnblas_net_get_info(other, &info));
    assert_true(info.mode == CNNBLAS_NET_INFERENCE && info.packed);
    cnnblas_net_destroy(other);
    cnnblas_net_destroy(net);
  }
}

static void test_options_must_agree(void **state)
{
  (void)state;
  cnnblas_net *net = create("INPUT 3x8x8 -> FC 3", CNNBLAS_F32, CNNBLAS_NET_INFERENCE), *other = NULL;
  ASSERT_OK(cnnblas_net_save(net, path));
  cnnblas_net_options o[] = {{.dtype = CNNBLAS_F64},
                             {.loss = CNNBLAS_NET_SIGMOID},
                             {.classes = 4},
                             {.c = 1, .size = {8, 8}},
                             {.size = {9, 9}}};
  for (size_t i = 0; i < sizeof o / sizeof *o; i++)
    assert_int_not_equal(cnnblas_net_load(path, &o[i], &other), CNNBLAS_OK);
  assert_null(other);
  assert_int_equal(cnnblas_net_load(NULL, NULL, &other), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_load(path, NULL, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_load("/nowhere/model", NULL, &other), CNNBLAS_IO_ERROR);
  assert_int_equal(cnnblas_net_load("/dev", NULL, &other), CNNBLAS_BAD_FORMAT);
  assert_int_equal(cnnblas_net_save(net, "/nowhere/model"), CNNBLAS_IO_ERROR);
  assert_int_equal(cnnblas_net_save(net, "/dev/null"), CNNBLAS_IO_ERROR);
  assert_int_equal(cnnblas_net_save(net, NULL), CNNBLAS_INVALID_ARGUMENT);
  cnnblas_net_options same = {.c = 3, .size = {8, 8}, .classes = 3};
  ASSERT_OK(cnnblas_net_load(path, &same, &other));
  cnnblas_net_destroy(other);
  cnnblas_net_destroy(net);
}

/* A pipe that nobody writes is refused, not waited for. */
static void test_pipe_is_refused(void **state)
{
  (void)state;
  cnnblas_net *net = NULL;
  remove(path);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_int_not_equal(cnnblas_net_load(path, NULL, &net), CNNBLAS_OK);
  assert_null(net);
  remove(path);
}

/* An input without axes, and one whose size the options give. */
static void test_inputs_of_other_forms(void **state)
{
  (void)state;
  cnnblas_net *net = create("INPUT 20 -> FC 5 -> RELU -> FC 3", CNNBLAS_F32, CNNBLAS_NET_TRAINING), *other;
  ASSERT_OK(cnnblas_net_save(net, path));
  ASSERT_OK(cnnblas_net_load(path, NULL, &other));
  cnnblas_net_destroy(other);
  cnnblas_net_destroy(net);
  cnnblas_net_options o = {.c = 2, .size = {50}, .classes = 7, .mode = CNNBLAS_NET_INFERENCE};
  ASSERT_OK(cnnblas_net_create("INPUT -> CONV 3@5 -> FC", &o, &net));
  ASSERT_OK(cnnblas_net_save(net, path));
  ASSERT_OK(cnnblas_net_load(path, NULL, &other));
  same_tensors(net, other);
  cnnblas_net_destroy(other);
  cnnblas_net_destroy(net);
}

/* What `cnnblas train` of version 0.1.0 wrote, and what it predicted. */
static void test_version_0_1(void **state)
{
  (void)state;
  const char *folder = getenv("CNNBLAS_TEST_MODELS");
  char model[4096];
  cnnblas_net *net;
  uint8_t pixels[64];
  float x[64], probabilities[3];
  int32_t class;
  assert_non_null(folder);
  snprintf(model, sizeof model, "%s/version_0_1.safetensors", folder);
  ASSERT_OK(cnnblas_net_load(model, NULL, &net));
  for (int i = 0; i < 64; i++) pixels[i] = (uint8_t)(i * 37 % 256);
  ASSERT_OK(cnnblas_net_normalise(net, 1, pixels, 0, x));
  ASSERT_OK(cnnblas_net_predict(net, 1, x, probabilities, &class));
  printf("0.1.0's model: class %d, %.6f %.6f %.6f\n", class, (double)probabilities[0], (double)probabilities[1],
         (double)probabilities[2]);
  assert_int_equal(class, 0); /* as that version's command says of these pixels: 0 (41.7%) */
  assert_true(probabilities[0] > 0.4165f && probabilities[0] < 0.4175f);
  cnnblas_net_destroy(net);
}

/* Every byte of the header's beginning changed, and the file cut short everywhere: an error or a network, never a crash. */
static void test_damage(void **state)
{
  (void)state;
  static char bytes[1 << 16], damaged[1 << 16];
  cnnblas_net *net = create("INPUT 1x4x4 -> CONV 2@3x3 -> BN -> FC 2", CNNBLAS_F32, CNNBLAS_NET_INFERENCE), *other;
  ASSERT_OK(cnnblas_net_save(net, path));
  FILE *file = fopen(path, "rb");
  size_t size = fread(bytes, 1, sizeof bytes, file), loaded = 0;
  fclose(file);
  for (size_t i = 0; i < 2 * size; i += i < size ? 1 : 7) {
    memcpy(damaged, bytes, size);
    if (i < size) damaged[i] = (char)(damaged[i] ^ (1 << i % 8));
    file = fopen(path, "wb");
    fwrite(damaged, 1, i < size ? size : i - size, file);
    fclose(file);
    cnnblas_status status = cnnblas_net_load(path, NULL, &other);
    if (status == CNNBLAS_OK) {
      assert_true(i < size);
      loaded++;
      cnnblas_net_destroy(other);
    } else {
      assert_true(strlen(cnnblas_last_error()) > 10);
    }
  }
  printf("%zu of %zu changed files load: a weight's bit, a name's letter\n", loaded, size);
  cnnblas_net_destroy(net);
}

/* ---- reshape ---- */

static void test_reshape(void **state)
{
  (void)state;
  const int64_t size[] = {12, 12}, back[] = {8, 8};
  for (int mode = CNNBLAS_NET_TRAINING; mode <= CNNBLAS_NET_INFERENCE; mode++) {
    cnnblas_net *net = create(text, CNNBLAS_F32, (cnnblas_net_mode)mode);
    cnnblas_net *wide = create("INPUT 3x12x12 -> CONV 4@3x3 pad 1 -> BN -> RELU -> ADD[ CONV 4@3x3 pad 1 -> BN | ] -> "
                               "RELU -> GPOOL avg -> FC 3",
                               CNNBLAS_F32, (cnnblas_net_mode)mode);
    cnnblas_net_info info;
    ASSERT_OK(cnnblas_net_set_class_names(net, names, 3));
    ASSERT_OK(cnnblas_net_reshape(net, size));
    same_logits(net, wide, CNNBLAS_F32); /* of one seed */
    assert_string_equal(cnnblas_net_text(net), cnnblas_net_text(wide));
    assert_string_equal(cnnblas_net_class_name(net, 2), names[2]);
    ASSERT_OK(cnnblas_net_save(net, path));
    ASSERT_OK(cnnblas_net_reshape(net, back));
    ASSERT_OK(cnnblas_net_get_info(net, &info));
    assert_true(info.size[0] == 8 && info.input_elements == 192);
    cnnblas_net_destroy(wide);
    ASSERT_OK(cnnblas_net_load(path, NULL, &wide));
    ASSERT_OK(cnnblas_net_get_info(wide, &info));
    assert_true(info.size[0] == 12);
    cnnblas_net_destroy(wide);
    cnnblas_net_destroy(net);
  }
}

/* The momentum goes along: two steps are the same with a reshape between them. */
static void test_reshape_keeps_training(void **state)
{
  (void)state;
  const int64_t size[] = {8, 8};
  cnnblas_net *net = create(text, CNNBLAS_F32, CNNBLAS_NET_TRAINING),
              *other = create(text, CNNBLAS_F32, CNNBLAS_NET_TRAINING);
  train(net, CNNBLAS_F32);
  train(other, CNNBLAS_F32);
  ASSERT_OK(cnnblas_net_reshape(net, size));
  train(net, CNNBLAS_F32);
  train(other, CNNBLAS_F32);
  same_tensors(net, other);
  cnnblas_net_info info;
  ASSERT_OK(cnnblas_net_get_info(net, &info));
  assert_true(info.steps == 6);
  cnnblas_net_destroy(net);
  cnnblas_net_destroy(other);
}

static void test_reshape_refused(void **state)
{
  (void)state;
  const int64_t size[] = {9, 9}, none[] = {0, 9}, small[] = {1, 1};
  cnnblas_net *net = create("INPUT 3x8x8 -> CONV 4@3x3 -> FC 3", CNNBLAS_F32, CNNBLAS_NET_INFERENCE);
  assert_int_equal(cnnblas_net_reshape(net, size), CNNBLAS_INVALID_ARGUMENT);
  assert_non_null(strstr(cnnblas_last_error(), "fc1.weight"));
  assert_int_equal(cnnblas_net_reshape(net, none), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_reshape(net, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_reshape(NULL, size), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_reshape(net, small), CNNBLAS_BAD_FORMAT);
  same_logits(net, net, CNNBLAS_F32);
  cnnblas_net_destroy(net);
}

/* The pool that larger images bring gives the convolution a bias: tensors of the same shapes, which are others. */
static void test_reshape_with_other_tensors_refused(void **state)
{
  (void)state;
  const int64_t size[] = {4, 4};
  cnnblas_net *net =
      create("INPUT 1x1x1 -> CONV 4@1x1 -> POOL max 2? -> BN -> GPOOL avg", CNNBLAS_F32, CNNBLAS_NET_INFERENCE);
  assert_int_equal(cnnblas_net_reshape(net, size), CNNBLAS_INVALID_ARGUMENT);
  assert_non_null(strstr(cnnblas_last_error(), "tensors"));
  cnnblas_net_destroy(net);
}

static void test_normalise(void **state)
{
  (void)state;
  cnnblas_net *net = create("INPUT 2x1x2 -> FC 2", CNNBLAS_F32, CNNBLAS_NET_INFERENCE);
  cnnblas_net_normalisation norm = {.channels = 2, .mean = {1, 2}, .scale = {2, 10}, .white = 16},
                            bad = {.channels = 3};
  uint8_t pixels[] = {0, 255, 51, 102};
  float x[4];
  ASSERT_OK(cnnblas_net_set_normalisation(net, &norm));
  ASSERT_OK(cnnblas_net_normalise(net, 1, pixels, 255, x));
  const double wanted[] = {-2, 30, (3.2 - 2) * 10, (6.4 - 2) * 10}, plain[] = {-2, 508, 490, 1000};
  for (int i = 0; i < 4; i++) assert_true(x[i] == (float)wanted[i]);
  ASSERT_OK(cnnblas_net_normalise(net, 1, pixels, 0, x));
  for (int i = 0; i < 4; i++) assert_true(x[i] == (float)plain[i]);
  assert_int_equal(cnnblas_net_set_normalisation(net, &bad), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_set_normalisation(net, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_get_normalisation(NULL, &norm), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_normalise(net, -1, pixels, 255, x), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_normalise(net, 1, NULL, 255, x), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_normalise(net, 1, pixels, 256, x), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_set_class_names(net, names, 3), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_set_class_names(net, NULL, 2), CNNBLAS_INVALID_ARGUMENT);
  ASSERT_OK(cnnblas_net_set_class_names(net, names, 2));
  ASSERT_OK(cnnblas_net_set_class_names(net, NULL, 0));
  assert_string_equal(cnnblas_net_class_name(net, 0), "");
  const char *const latin[] = {"v\xf6gel", "b"}, *const good[] = {"v\xc3\xb6gel", "\xf0\x9f\x90\xa6"},
                    *const surrogate[] = {"a", "\xed\xa0\x80"}, *const cut[] = {"a", "\xe2\x82"};
  assert_int_equal(cnnblas_net_set_class_names(net, latin, 2), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_set_class_names(net, surrogate, 2), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_set_class_names(net, cut, 2), CNNBLAS_INVALID_ARGUMENT);
  ASSERT_OK(cnnblas_net_set_class_names(net, good, 2));
  cnnblas_net_destroy(net);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_saved_and_loaded), cmocka_unit_test(test_options_must_agree),
      cmocka_unit_test(test_pipe_is_refused),  cmocka_unit_test(test_inputs_of_other_forms),
      cmocka_unit_test(test_version_0_1),      cmocka_unit_test(test_damage),
      cmocka_unit_test(test_reshape),          cmocka_unit_test(test_reshape_keeps_training),
      cmocka_unit_test(test_reshape_refused),  cmocka_unit_test(test_reshape_with_other_tensors_refused),
      cmocka_unit_test(test_normalise)};
  return cmocka_run_group_tests(tests, make_path, remove_path);
}
