/* Reading safetensors; see safetensors.h. The JSON is jansson's to parse. */
#include "io/safetensors.h"
#include "io/system.h"
#include <endian.h>
#include <stdlib.h>
#include <string.h>

size_t st_element(const char *dtype)
{
  static const struct {
    const char *name;
    size_t bytes;
  } known[] = {{"F32", 4}, {"F64", 8}, {"F16", 2}, {"BF16", 2}, {"I8", 1},  {"U8", 1},      {"BOOL", 1},   {"I16", 2},
               {"U16", 2}, {"I32", 4}, {"U32", 4}, {"I64", 8},  {"U64", 8}, {"F8_E5M2", 1}, {"F8_E4M3", 1}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (!strcmp(known[i].name, dtype)) return known[i].bytes;
  return 0;
}

void st_free(st_file *file)
{
  io_free(file->tensors);
  json_decref(file->header);
  io_buffer_free(&file->file);
  *file = (st_file){0};
}

const char *st_metadata(const st_file *file, const char *key)
{
  return json_string_value(json_object_get(json_object_get(file->header, "__metadata__"), key));
}

const st_tensor *st_find(const st_file *file, const char *name)
{
  for (size_t i = 0; i < file->count; i++)
    if (!strcmp(file->tensors[i].name, name)) return &file->tensors[i];
  return NULL;
}

/* A number of at least 0 from an array of them. */
static int get_size(const json_t *array, size_t i, int64_t *value)
{
  const json_t *number = json_array_get(array, i);
  *value = json_integer_value(number);
  return json_is_integer(number) && *value >= 0;
}

static io_status read_shape(const char *name, const json_t *shape, st_tensor *t, int64_t *elements, io_error *error)
{
  if (!json_is_array(shape)) return io_fail(error, IO_BAD_INPUT, "%s: %.64s has no shape", name, t->name);
  if (json_array_size(shape) > ST_MOST_AXES)
    return io_fail(error, IO_BAD_INPUT, "%s: %.64s has %zu axes; at most %d can be read", name, t->name,
                   json_array_size(shape), ST_MOST_AXES);
  t->rank = (int)json_array_size(shape);
  *elements = 1;
  bool empty = false, wraps = false;
  for (int i = 0; i < t->rank; i++) {
    if (!get_size(shape, (size_t)i, &t->shape[i]))
      return io_fail(error, IO_BAD_INPUT, "%s: shape[%d] of %.64s is not a size", name, i, t->name);
    empty |= t->shape[i] == 0;
    wraps |= __builtin_mul_overflow(*elements, t->shape[i], elements);
  }
  if (wraps && !empty)
    return io_fail(error, IO_BAD_INPUT, "%s: the product of %.64s's sizes does not fit in 63 bits", name, t->name);
  if (empty) *elements = 0;
  return IO_OK;
}

static io_status read_tensor(const char *name, const json_t *entry, size_t data_bytes, st_tensor *t, io_error *error)
{
  t->dtype = json_string_value(json_object_get(entry, "dtype"));
  if (!t->dtype) return io_fail(error, IO_BAD_INPUT, "%s: %.64s has no dtype", name, t->name);
  size_t element = st_element(t->dtype), bytes;
  if (!element)
    return io_fail(error, IO_BAD_INPUT, "%s: %.64s has dtype %.16s, which is unknown", name, t->name, t->dtype);
  int64_t elements = 0, begin, end;
  io_status status = read_shape(name, json_object_get(entry, "shape"), t, &elements, error);
  if (status) return status;
  const json_t *offsets = json_object_get(entry, "data_offsets");
  if (json_array_size(offsets) != 2 || !get_size(offsets, 0, &begin) || !get_size(offsets, 1, &end))
    return io_fail(error, IO_BAD_INPUT, "%s: data_offsets of %.64s is not two sizes", name, t->name);
  if (begin > end || (uint64_t)end > data_bytes)
    return io_fail(error, IO_BAD_INPUT, "%s: data_offsets of %.64s is [%lld, %lld]; the data are %zu bytes", name,
                   t->name, (long long)begin, (long long)end, data_bytes);
  t->begin = (size_t)begin;
  t->bytes = (size_t)(end - begin);
  if (__builtin_mul_overflow((size_t)elements, element, &bytes) || bytes != t->bytes)
    return io_fail(error, IO_BAD_INPUT, "%s: %.64s has %lld elements of %s, but %zu bytes", name, t->name,
                   (long long)elements, t->dtype, t->bytes);
  return IO_OK;
}

static int by_place(const void *a, const void *b)
{
  const st_tensor *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

/* The arrays, sorted, must follow each other from the first byte to the last. */
static io_status check_places(const char *name, const st_file *file, size_t data_bytes, io_error *error)
{
  size_t at = 0;
  for (size_t i = 0; i < file->count; i++) {
    const st_tensor *t = &file->tensors[i];
    if (t->begin < at)
      return io_fail(error, IO_BAD_INPUT, "%s: %.64s overlaps %.64s", name, t->name, file->tensors[i - 1].name);
    if (t->begin > at)
      return io_fail(error, IO_BAD_INPUT, "%s: a hole of %zu bytes before %.64s", name, t->begin - at, t->name);
    at += t->bytes;
  }
  if (at != data_bytes)
    return io_fail(error, IO_BAD_INPUT, "%s: %zu bytes after the last tensor", name, data_bytes - at);
  return IO_OK;
}

static io_status check_metadata(const char *name, json_t *metadata, io_error *error)
{
  const char *key;
  json_t *value;
  if (json_is_null(metadata)) return IO_OK; /* as some writers put it: none */
  if (!json_is_object(metadata)) return io_fail(error, IO_BAD_INPUT, "%s: __metadata__ is not an object", name);
  json_object_foreach(metadata, key, value) if (!json_is_string(value)) return io_fail(
      error, IO_BAD_INPUT, "%s: __metadata__ \"%.64s\" is not a text", name, key);
  return IO_OK;
}

static io_status read_tensors(const char *name, const uint8_t *data, size_t data_bytes, st_file *file, io_error *error)
{
  const char *key;
  json_t *entry;
  size_t most = json_object_size(file->header);
  file->tensors = io_alloc_zeroed(most, sizeof *file->tensors);
  if (!file->tensors) return io_fail_memory(error, name, most * sizeof *file->tensors, "its tensors");
  io_status status = IO_OK;
  json_object_foreach(file->header, key, entry)
  {
    if (!strcmp(key, "__metadata__")) {
      status = check_metadata(name, entry, error);
    } else {
      st_tensor *t = &file->tensors[file->count++];
      t->name = key;
      status = read_tensor(name, entry, data_bytes, t, error);
      t->data = data + t->begin;
    }
    if (status) return status;
  }
  qsort(file->tensors, file->count, sizeof *file->tensors, by_place);
  return check_places(name, file, data_bytes, error);
}

/* The text that jansson quotes may be long and is cut. */
static io_status bad_json(const char *name, const json_error_t *why, size_t room, io_error *error)
{
  if (io_json_lacked_memory())
    return io_fail(error, IO_NO_ROOM, "%s: out of memory for the header, or it takes more than %zu bytes", name, room);
  return io_fail(error, IO_BAD_INPUT, "%s: header, byte %d: %.120s", name, why->position, why->text);
}

/* What the header may take as JSON: "[0,0,0" asks for twenty times its size. */
static size_t json_room(size_t length)
{
  return ((size_t)16 << 20) + 4 * length;
}

io_status st_parse(const char *name, const uint8_t *bytes, size_t count, st_file *file, io_error *error)
{
  uint64_t length = 0;
  st_file f = {0};
  json_error_t why;
  if (count < 8) return io_fail(error, IO_BAD_INPUT, "%s: ends within the header's length", name);
  memcpy(&length, bytes, 8);
  length = le64toh(length);
  if (length > ST_MOST_HEADER)
    return io_fail(error, IO_BAD_INPUT, "%s: not a safetensors file, or a header of %llu bytes; at most %d are read",
                   name, (unsigned long long)length, ST_MOST_HEADER);
  if (length > count - 8) return io_fail(error, IO_BAD_INPUT, "%s: ends within the header", name);
  if (!length || bytes[8] != '{') return io_fail(error, IO_BAD_INPUT, "%s: the header does not begin with {", name);
  io_json_begin();
  io_json_limit(json_room((size_t)length));
  f.header = json_loadb((const char *)bytes + 8, (size_t)length, JSON_REJECT_DUPLICATES, &why);
  io_json_limit(SIZE_MAX);
  if (!f.header || io_json_lacked_memory()) {
    json_decref(f.header);
    return bad_json(name, &why, json_room((size_t)length), error);
  }
  io_status status = read_tensors(name, bytes + 8 + length, count - 8 - (size_t)length, &f, error);
  if (status)
    st_free(&f);
  else
    *file = f;
  return status;
}

io_status st_read(const char *path, st_file *file, io_error *error)
{
  io_buffer bytes = {0};
  io_status status = io_read_file(path, IO_MOST_BYTES, &bytes, error);
  if (!status) status = st_parse(path, bytes.bytes, bytes.count, file, error);
  if (status)
    io_buffer_free(&bytes);
  else
    file->file = bytes;
  return status;
}
