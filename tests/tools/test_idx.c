/* The IDX reader from memory: every type, plain and gzipped, cut anywhere, with any byte of its head changed. */
#include "faults.h"
#include "io/idx.h"
#include "support/harness.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { ROOM = 4096 };

typedef struct {
  uint8_t bytes[ROOM];
  size_t count;
} text;

static void put(text *t, const void *bytes, size_t count)
{
  assert_true(t->count + count <= ROOM);
  memcpy(t->bytes + t->count, bytes, count);
  t->count += count;
}

static void put_size(text *t, uint32_t size)
{
  put(t, (uint8_t[]){(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size}, 4);
}

static text head(uint8_t type, int rank, const uint32_t *sizes)
{
  text t = {.count = 0};
  put(&t, (uint8_t[]){0, 0, type, (uint8_t)rank}, 4);
  for (int i = 0; i < rank; i++) put_size(&t, sizes[i]);
  return t;
}

/* 5 images of 3 x 4 bytes with values 0, 1, 2, ... */
static text images(void)
{
  text t = head(IDX_U8, 3, (uint32_t[]){5, 3, 4});
  for (uint8_t i = 0; i < 60; i++) put(&t, &i, 1);
  return t;
}

static text pack(const text *t)
{
  text packed = {.count = 0};
  z_stream z = {0};
  assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  z.next_in = (Bytef *)(uintptr_t)t->bytes;
  z.avail_in = (uInt)t->count;
  z.next_out = packed.bytes;
  z.avail_out = ROOM;
  assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
  packed.count = ROOM - z.avail_out;
  deflateEnd(&z);
  return packed;
}

/* Parses a copy that ends where the memory ends, so that a sanitizer sees every byte read too much. */
static io_status parse(const uint8_t *bytes, size_t count, idx_array *a, io_error *error)
{
  uint8_t *copy = malloc(count ? count : 1);
  assert_non_null(copy);
  memcpy(copy, bytes, count);
  memset(a, 0, sizeof *a);
  snprintf(error->text, sizeof error->text, "(none)");
  io_status status = idx_parse("the file", copy, count, a, error);
  free(copy);
  if (status && strncmp(error->text, "the file: ", 10) != 0) FAIL("%s", error->text);
  if (status) assert_null(a->values);
  return status;
}

static void check_values(const idx_array *a)
{
  assert_int_equal(a->rank, 3);
  assert_true(a->size[0] == 5 && a->size[1] == 3 && a->size[2] == 4 && a->size[3] == 1 && a->elements == 60);
  for (int i = 0; i < 60; i++) assert_true(idx_value(a, i) == i);
}

static void check_images(const text *t)
{
  idx_array a;
  io_error error;
  assert_int_equal(parse(t->bytes, t->count, &a, &error), IO_OK);
  check_values(&a);
  idx_free(&a);
  idx_free(&a);
}

static void whole_files_are_read(void **state)
{
  (void)state;
  text plain = images(), packed = pack(&plain), half[2] = {{.count = 0}, {.count = 0}}, both = {.count = 0};
  check_images(&plain);
  check_images(&packed);
  put(&half[0], plain.bytes, 21); /* two gzip files in one are one file */
  put(&half[1], plain.bytes + 21, plain.count - 21);
  for (int i = 0; i < 2; i++) {
    text part = pack(&half[i]);
    put(&both, part.bytes, part.count);
  }
  check_images(&both);
}

static void every_type_is_read(void **state)
{
  (void)state;
  static const struct {
    uint8_t type, bytes[16];
    size_t count;
    double values[2];
  } cases[] = {{IDX_U8, {7, 255}, 2, {7, 255}},
               {IDX_I8, {7, 255}, 2, {7, -1}},
               {IDX_I16, {1, 2, 255, 254}, 4, {258, -2}},
               {IDX_I32, {0, 1, 0, 0, 255, 255, 255, 255}, 8, {65536, -1}},
               {IDX_F32, {0x3f, 0xc0, 0, 0, 0xc0, 0x20, 0, 0}, 8, {1.5, -2.5}},
               {IDX_F64, {0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 4, 0, 0, 0, 0, 0, 0}, 16, {1.5, -2.5}}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    idx_array a;
    io_error error;
    text t = head(cases[i].type, 1, (uint32_t[]){2});
    put(&t, cases[i].bytes, cases[i].count);
    harness_doing("type 0x%02x", cases[i].type);
    assert_int_equal(parse(t.bytes, t.count, &a, &error), IO_OK);
    for (int j = 0; j < 2; j++) assert_true(idx_value(&a, j) == cases[i].values[j]);
    idx_free(&a);
  }
}

static void cut_anywhere_they_are_refused(void **state)
{
  (void)state;
  text plain = images(), files[2] = {plain, pack(&plain)};
  for (int f = 0; f < 2; f++) {
    idx_array a;
    io_error error;
    for (size_t count = 0; count < files[f].count; count++) {
      harness_doing("%s file, the first %zu bytes", f ? "gzipped" : "plain", count);
      assert_int_equal(parse(files[f].bytes, count, &a, &error), IO_BAD_INPUT);
    }
    put(&files[f], "x", 1);
    assert_int_equal(parse(files[f].bytes, files[f].count, &a, &error), IO_BAD_INPUT);
  }
}

/* Whatever a changed byte makes of the file: it is refused, or an array that has just the file's bytes. */
static void changed_bytes_are_refused_or_consistent(void **state)
{
  (void)state;
  static const size_t element[] = {
      [IDX_U8] = 1, [IDX_I8] = 1, [IDX_I16] = 2, [IDX_I32] = 4, [IDX_F32] = 4, [IDX_F64] = 8};
  text plain = images(), packed = pack(&plain);
  long accepted = 0, refused = 0;
  for (size_t at = 0; at < 16; at++)
    for (int change = 1; change < 256; change++) {
      idx_array a;
      io_error error;
      text t = plain;
      t.bytes[at] ^= (uint8_t)change;
      harness_doing("byte %zu changed by 0x%02x", at, change);
      io_status status = parse(t.bytes, t.count, &a, &error);
      accepted += !status;
      refused += status == IO_BAD_INPUT;
      if (!status) assert_true((size_t)a.elements * element[a.type] + 4 + 4 * (size_t)a.rank == t.count);
      idx_free(&a);
    }
  assert_int_equal(accepted + refused, 16 * 255);
  assert_int_equal(accepted, 1); /* bytes to signed bytes; no other type or sizes fit */
  for (size_t at = 0; at < packed.count; at++)
    for (int bit = 0; bit < 8; bit++) {
      idx_array a;
      io_error error;
      text t = packed;
      t.bytes[at] ^= (uint8_t)(1 << bit);
      harness_doing("gzip: bit %d of byte %zu flipped", bit, at);
      /* gzip's time and origin mean nothing here, nor do bits that fill the last byte up: the checksum holds. */
      if (parse(t.bytes, t.count, &a, &error) == IO_OK) check_values(&a);
      idx_free(&a);
    }
}

static void lies_about_sizes_are_refused_before_memory_is_taken(void **state)
{
  (void)state;
  static const uint32_t sizes[][4] = {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
                                      {1u << 31, 1u << 31, 2, 1},
                                      {1u << 31, 1u << 31, 4, 1},
                                      {60000, 28, 28, 1},
                                      {1u << 16, 1u << 16, 1u << 16, 1u << 16}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int gzip = 0; gzip < 2; gzip++) {
      idx_array a;
      io_error error;
      text t = head(IDX_F64, 4, sizes[i]);
      put(&t, "0123456789", 10);
      if (gzip) t = pack(&t);
      harness_doing("sizes %zu, gzip %d", i, gzip);
      assert_int_equal(parse(t.bytes, t.count, &a, &error), IO_BAD_INPUT);
    }
}

static void memory_that_lacks_is_told(void **state)
{
  (void)state;
  text plain = images(), packed = pack(&plain);
  long failures = 0;
  for (long k = 1;; k++) {
    idx_array a = {0};
    io_error error = {"(none)"};
    long before = faults_live();
    harness_doing("allocation %ld fails", k);
    faults_arm(FAULTS_MEMORY, k);
    io_status status = idx_parse("the file", packed.bytes, packed.count, &a, &error);
    if (!faults_disarm()) {
      assert_int_equal(status, IO_OK);
      idx_free(&a);
      break;
    }
    failures++;
    assert_int_equal(status, IO_NO_ROOM);
    assert_non_null(strstr(error.text, "the file: out of memory"));
    assert_int_equal(faults_live(), before);
  }
  assert_true(failures >= 2);
}

/* Zeros behind the last member are padding; anything else there is an error that says so, wherever it begins. */
static void what_follows_gzip_data(void **state)
{
  (void)state;
  static const struct {
    const char *bytes;
    size_t count;
    bool accepted;
  } tails[] = {{"\0", 1, true},    {"\0\0\0\0\0\0\0\0\0\0", 10, true},
               {"x", 1, false},    {"\0\0\0x", 4, false},
               {"\x1f", 1, false}, {"\0\x1f\x8b", 3, false}};
  text plain = images(), packed = pack(&plain);
  for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
    text whole = packed;
    idx_array a;
    io_error error;
    harness_doing("tail %zu", i);
    put(&whole, tails[i].bytes, tails[i].count);
    io_status status = parse(whole.bytes, whole.count, &a, &error);
    assert_int_equal(status, tails[i].accepted ? IO_OK : IO_BAD_INPUT);
    if (!tails[i].accepted && !strstr(error.text, "neither gzip data nor zeros")) FAIL("%s", error.text);
    if (tails[i].accepted) check_values(&a);
    idx_free(&a);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(whole_files_are_read),
                                     cmocka_unit_test(every_type_is_read),
                                     cmocka_unit_test(cut_anywhere_they_are_refused),
                                     cmocka_unit_test(changed_bytes_are_refused_or_consistent),
                                     cmocka_unit_test(lies_about_sizes_are_refused_before_memory_is_taken),
                                     cmocka_unit_test(what_follows_gzip_data),
                                     cmocka_unit_test(memory_that_lacks_is_told)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
