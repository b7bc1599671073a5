/*
 * Every file of the fuzz targets' seeds, cut at each byte and with each bit of its head flipped: an error that says what is
 * wrong, or a result; never memory beyond 16 MiB and four times what was decoded.
 */
#include "faults.h"
#include "io/idx.h"
#include "io/picture.h"
#include "io/safetensors.h"
#include "io/system.h"
#include "model.h"
#include "support/harness.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 512 /* bytes whose bits are flipped */, MOST = 1 << 16, ROOM = 16 << 20 };

static const char *seeds;
static long parsed, accepted;

/* Parses count bytes; sets *decoded. */
typedef io_status (*parser)(const uint8_t *bytes, size_t count, size_t *decoded, io_error *error);

static io_status parse_idx(const uint8_t *bytes, size_t count, size_t *decoded, io_error *error)
{
  idx_array array = {0};
  io_status status = idx_parse("damaged", bytes, count, &array, error);
  *decoded = status ? 0 : (size_t)array.elements * 8;
  idx_free(&array);
  return status;
}

static io_status parse_picture(const uint8_t *bytes, size_t count, size_t *decoded, io_error *error)
{
  picture p = {0};
  io_status status = picture_parse("damaged", bytes, count, 3, &p, error);
  *decoded = status ? 0 : (size_t)(p.c * p.h * p.w) * sizeof *p.pixels;
  picture_free(&p);
  return status;
}

/* The tensors, and the network that they may be the parameters of. */
static io_status parse_model(const uint8_t *bytes, size_t count, size_t *decoded, io_error *error)
{
  st_file file = {0};
  io_status status = st_parse("damaged", bytes, count, &file, error);
  *decoded = status ? 0 : count;
  if (!status) {
    cnnblas_net *net = NULL;
    io_error other;
    const model_use use = {.mode = CNNBLAS_NET_INFERENCE, .threads = 1};
    if (model_make("damaged", &file, &use, &net, NULL, &other)) assert_null(net);
    cnnblas_net_destroy(net);
  }
  st_free(&file);
  return status;
}

static void try(parser parse, const uint8_t *bytes, size_t count)
{
  size_t decoded = 0;
  io_error error = {{0}};
  uint8_t *copy = malloc(count ? count : 1); /* ends where the memory ends, for a sanitizer */
  assert_non_null(copy);
  memcpy(copy, bytes, count);
  faults_total();
  io_status status = parse(copy, count, &decoded, &error);
  size_t taken = faults_total();
  if (status != IO_OK && (status != IO_BAD_INPUT || !error.text[0])) FAIL("status %d, \"%s\"", (int)status, error.text);
  if (taken > ROOM + 4 * decoded) FAIL("%zu bytes of memory for %zu decoded ones", taken, decoded);
  free(copy);
  parsed++;
  accepted += status == IO_OK;
}

static void damage(parser parse, const char *folder, const char *name)
{
  static uint8_t bytes[MOST];
  char path[1024];
  snprintf(path, sizeof path, "%s/%s/%s", seeds, folder, name);
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t count = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  harness_doing("%s as it is", path);
  try(parse, bytes, count);
  for (size_t cut = 0; cut < count; cut++) {
    harness_doing("%s cut at byte %zu", path, cut);
    try(parse, bytes, cut);
  }
  for (size_t bit = 0; bit < 8 * (count < HEAD ? count : (size_t)HEAD); bit++) {
    harness_doing("%s with bit %zu of byte %zu flipped", path, bit % 8, bit / 8);
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    try(parse, bytes, count);
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
}

static void every_seed(parser parse, const char *folder)
{
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", seeds, folder);
  DIR *list = opendir(path);
  assert_non_null(list);
  int files = 0;
  parsed = accepted = 0;
  for (struct dirent *entry; (entry = readdir(list));) {
    if (entry->d_name[0] == '.') continue;
    damage(parse, folder, entry->d_name);
    files++;
  }
  closedir(list);
  assert_true(files > 0 && accepted >= files);
  printf("%s: %d files, %ld ways of damage, %ld taken for whole\n", folder, files, parsed, accepted);
}

static void damaged_idx(void **state)
{
  (void)state;
  every_seed(parse_idx, "idx");
}

static void damaged_pictures(void **state)
{
  (void)state;
  every_seed(parse_picture, "picture");
}

static void damaged_models(void **state)
{
  (void)state;
  io_use_json();
  every_seed(parse_model, "safetensors");
}

int main(int argc, char **argv)
{
  if (argc != 2) return 2;
  seeds = argv[1];
  const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_idx), cmocka_unit_test(damaged_pictures),
                                     cmocka_unit_test(damaged_models)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
