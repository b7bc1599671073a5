/*
 * Each memory and file call of writing and reading a checkpoint fails once: the caller hears of it, nothing leaks, no
 * temporary file stays, and the file is the old one or the new one, whole.
 */
#include "checkpoint.h"
#include "faults.h"
#include "io/file.h"
#include "io/picture.h"
#include "io/system.h"
#include "model.h"
#include "support/harness.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96];
static cnnblas_net *net;
static train_settings settings = {.seed = 1, .batch = 4, .epochs = 3, .lr = 0.1};
static train_state run;
static weights best;

static int make_folder(void **state)
{
  (void)state;
  cnnblas_net_options o = {.batch = 4};
  train_row row = {.epoch = 1, .images = 9, .test_images = 5};
  io_use_json();
  snprintf(folder, sizeof folder, "test_faults.%ld.tmp", (long)getpid());
  snprintf(path, sizeof path, "%s/model", folder);
  assert_int_equal(mkdir(folder, 0700), 0);
  assert_true(settings_add_row(&run, &row));
  run.epoch = 1;
  ASSERT_OK(cnnblas_net_create("INPUT 1x6x6 -> CONV 2@3x3 -> RELU -> FC 3", &o, &net));
  assert_true(weights_make(&best, net));
  weights_take(&best, net);
  return 0;
}

static int remove_folder(void **state)
{
  (void)state;
  cnnblas_net_destroy(net);
  settings_free(&run);
  weights_free(&best);
  unlink(path);
  return rmdir(folder);
}

static int files_in_folder(void)
{
  int count = 0;
  DIR *all = opendir(folder);
  assert_non_null(all);
  for (struct dirent *each; (each = readdir(all));) count += each->d_name[0] != '.';
  closedir(all);
  return count;
}

static io_status write_it(io_error *error)
{
  static char cat[] = "cat", dog[] = "dog";
  static char *names[] = {cat, dog};
  const model_data about = {.norm = {.channels = 1, .scale = {1}, .white = 1}, .classes = {names, 2, 2}};
  const model_training training = {&settings, &run, &best};
  return model_write(path, net, &about, &training, error);
}

/* Which run the file holds: its seed. */
static uint64_t seed_on_disk(void)
{
  st_file file = {0};
  io_error error;
  train_settings found;
  train_state where;
  cnnblas_net *made;
  model_use use = {.mode = CNNBLAS_NET_TRAINING};
  if (st_read(path, &file, &error)) FAIL("%s", error.text);
  if (model_make(path, &file, &use, &made, NULL, &error)) FAIL("%s", error.text);
  if (model_read_run(path, &file, &found, &where, &error)) FAIL("%s", error.text);
  cnnblas_net_destroy(made);
  settings_free(&where);
  st_free(&file);
  return found.seed;
}

static long fail_every_write(faults_kind kind)
{
  io_error error;
  long failures = 0, unheard = 0;
  settings.seed = 1;
  if (write_it(&error)) FAIL("%s", error.text);
  for (long k = 1;; k++) {
    long before = faults_live();
    settings.seed = (uint64_t)k + 1;
    uint64_t old = seed_on_disk();
    harness_doing("%s call %ld fails", kind == FAULTS_MEMORY ? "memory" : "file", k);
    snprintf(error.text, sizeof error.text, "(none)");
    faults_arm(kind, k);
    io_status status = write_it(&error);
    bool fired = faults_disarm();
    assert_int_equal(files_in_folder(), 1);
    assert_int_equal(faults_live(), before);
    if (!fired) {
      assert_int_equal(status, IO_OK);
      assert_true(seed_on_disk() == settings.seed && unheard <= 1);
      return failures;
    }
    failures++;
    if (!status) { /* the folder's close, and memory that jansson can do without */
      assert_true(seed_on_disk() == settings.seed);
      unheard++;
      continue;
    }
    assert_int_equal(status, IO_NO_ROOM);
    if (!strstr(error.text, path)) FAIL("%s", error.text);
    uint64_t now = seed_on_disk();
    assert_true(now == old || (kind == FAULTS_FILES && now == settings.seed));
  }
}

static void writing_survives_every_failure(void **state)
{
  (void)state;
  long memory = fail_every_write(FAULTS_MEMORY), files = fail_every_write(FAULTS_FILES);
  printf("%ld allocations and %ld file calls failed\n", memory, files);
  assert_true(memory > 20 && files >= 8);
}

static io_status read_it(io_error *error)
{
  st_file file = {0};
  cnnblas_net *made = NULL;
  train_settings found;
  train_state where = {0};
  model_data about = {0};
  weights kept = {0};
  model_use use = {.mode = CNNBLAS_NET_INFERENCE};
  io_status status = st_read(path, &file, error);
  if (!status) status = model_make(path, &file, &use, &made, &about, error);
  if (!status && !weights_make(&kept, made)) status = io_fail_memory(error, path, 0, "the best");
  if (!status) status = model_read_best(path, &file, made, &kept, error);
  if (!status) status = model_read_run(path, &file, &found, &where, error);
  cnnblas_net_destroy(made);
  weights_free(&kept);
  model_data_free(&about);
  settings_free(&where);
  st_free(&file);
  return status;
}

static void reading_survives_every_failure(void **state)
{
  (void)state;
  io_error error;
  if (write_it(&error)) FAIL("%s", error.text);
  for (int kind = FAULTS_MEMORY; kind <= FAULTS_FILES; kind++)
    for (long k = 1;; k++) {
      long before = faults_live();
      harness_doing("%s call %ld fails", kind == FAULTS_MEMORY ? "memory" : "file", k);
      faults_arm((faults_kind)kind, k);
      io_status status = read_it(&error);
      bool fired = faults_disarm();
      assert_int_equal(faults_live(), before);
      if (!fired) {
        assert_int_equal(status, IO_OK);
        assert_true(k > 2);
        break;
      }
      if (kind == FAULTS_MEMORY && status != IO_NO_ROOM) FAIL("status %d: %s", (int)status, error.text);
      if (kind == FAULTS_FILES && status) assert_int_equal(status, IO_BAD_INPUT);
      if (status && !strstr(error.text, path)) FAIL("%s", error.text);
    }
}

static void few_bytes_at_a_time_are_enough(void **state)
{
  (void)state;
  io_error error;
  settings.seed = 77;
  faults_trickle(5);
  io_status status = write_it(&error);
  assert_true(!status && seed_on_disk() == 77);
  faults_trickle(0);
}

static void a_picture_survives_every_failure(void **state)
{
  (void)state;
  /* 2 x 2 pixels, 8 bits of grey: 0 255 / 255 0. */
  static const uint8_t png[] = {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
                                0x44, 0x52, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02, 0x08, 0x00, 0x00, 0x00,
                                0x00, 0x57, 0xdd, 0x52, 0xf8, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78,
                                0xda, 0x63, 0x60, 0xf8, 0x0f, 0x84, 0x00, 0x06, 0x00, 0x01, 0xff, 0xad, 0x2c, 0x37,
                                0x25, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};
  for (long k = 1;; k++) {
    picture p = {0};
    io_error error = {"(none)"};
    long before = faults_live();
    harness_doing("allocation %ld fails", k);
    faults_arm(FAULTS_MEMORY, k);
    io_status status = picture_parse("the picture", png, sizeof png, 1, &p, &error);
    bool fired = faults_disarm();
    if (strstr(error.text, "without libpng")) skip();
    if (!fired) {
      if (status) FAIL("%s", error.text);
      assert_true(p.h == 2 && p.w == 2 && p.pixels[0] == 0 && p.pixels[1] == 1 && p.pixels[2] == 1 && p.pixels[3] == 0);
      picture_free(&p);
      break;
    }
    if (!status) picture_free(&p); /* libpng can do without some */
    if (status) assert_int_equal(status, IO_NO_ROOM);
    assert_int_equal(faults_live(), before);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writing_survives_every_failure), cmocka_unit_test(reading_survives_every_failure),
      cmocka_unit_test(few_bytes_at_a_time_are_enough), cmocka_unit_test(a_picture_survives_every_failure)};
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
