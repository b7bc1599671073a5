/* IDX files; see idx.h. */
#include "io/idx.h"
#include "io/file.h"
#include "io/source.h"
#include "io/system.h"
#include <endian.h>
#include <string.h>

void idx_free(idx_array *array)
{
  io_free(array->values);
  *array = (idx_array){0};
}

/* Bytes of one element of a type that an IDX file names; 0 for a type that IDX does not have. */
static size_t idx_type_bytes(unsigned type)
{
  switch (type) {
  case IDX_U8:
  case IDX_I8:
    return 1;
  case IDX_I16:
    return 2;
  case IDX_I32:
  case IDX_F32:
    return 4;
  case IDX_F64:
    return 8;
  default:
    return 0;
  }
}

double idx_value(const idx_array *a, int64_t i)
{
  switch (a->type) {
  case IDX_U8:
    return ((const uint8_t *)a->values)[i];
  case IDX_I8:
    return ((const int8_t *)a->values)[i];
  case IDX_I16:
    return ((const int16_t *)a->values)[i];
  case IDX_I32:
    return ((const int32_t *)a->values)[i];
  case IDX_F32:
    return (double)((const float *)a->values)[i];
  default:
    return ((const double *)a->values)[i];
  }
}

static io_status read_head(io_source *s, idx_array *a, size_t *bytes, io_error *error)
{
  uint8_t magic[4], axes[4 * IDX_MOST_AXES];
  io_status status = io_source_read(s, magic, sizeof magic, "its magic number", error);
  if (status) return status;
  size_t element = idx_type_bytes(magic[2]);
  if (magic[0] || magic[1] || !element)
    return io_fail(error, IO_BAD_INPUT, "%s: magic number %02x%02x%02x%02x is not that of an IDX file", s->name,
                   magic[0], magic[1], magic[2], magic[3]);
  if (magic[3] < 1 || magic[3] > IDX_MOST_AXES)
    return io_fail(error, IO_BAD_INPUT, "%s: %d axes; 1 to %d can be read", s->name, magic[3], IDX_MOST_AXES);
  a->type = (idx_type)magic[2];
  a->rank = magic[3];
  status = io_source_read(s, axes, 4 * (size_t)a->rank, "its sizes", error);
  if (status) return status;
  a->elements = 1;
  for (int i = 0; i < IDX_MOST_AXES; i++) {
    uint32_t size = 1;
    if (i < a->rank) memcpy(&size, axes + 4 * i, 4);
    a->size[i] = i < a->rank ? (int64_t)be32toh(size) : 1;
    if (__builtin_mul_overflow(a->elements, a->size[i], &a->elements))
      return io_fail(error, IO_BAD_INPUT, "%s: the product of its sizes does not fit in 63 bits", s->name);
  }
  size_t bound = io_source_bound(s);
  if (__builtin_mul_overflow((size_t)a->elements, element, bytes) || *bytes > bound)
    return io_fail(error, IO_BAD_INPUT,
                   "%s: its sizes ask for %lld elements of %zu bytes, the file has at most %zu bytes", s->name,
                   (long long)a->elements, element, bound);
  return IO_OK;
}

static void to_host_order(idx_array *a)
{
  size_t element = idx_type_bytes(a->type);
  uint16_t *v2 = a->values;
  uint32_t *v4 = a->values;
  uint64_t *v8 = a->values;
  for (int64_t i = 0; i < a->elements && element > 1; i++) {
    if (element == 2)
      v2[i] = be16toh(v2[i]);
    else if (element == 4)
      v4[i] = be32toh(v4[i]);
    else
      v8[i] = be64toh(v8[i]);
  }
}

static io_status read_array(io_source *s, idx_array *a, io_error *error)
{
  size_t bytes = 0;
  io_status status = read_head(s, a, &bytes, error);
  if (status) return status;
  if (!(a->values = io_alloc(bytes))) return io_fail_memory(error, s->name, bytes, "its elements");
  status = io_source_read(s, a->values, bytes, "its elements", error);
  if (!status) status = io_source_end(s, error);
  if (!status) to_host_order(a);
  return status;
}

io_status idx_parse(const char *name, const uint8_t *bytes, size_t count, idx_array *array, io_error *error)
{
  io_source s;
  idx_array a = {0};
  io_status status = io_source_open(&s, name, bytes, count, error);
  if (status) return status;
  status = read_array(&s, &a, error);
  io_source_close(&s);
  if (status)
    idx_free(&a);
  else
    *array = a;
  return status;
}

io_status idx_parse_head(const char *name, const uint8_t *bytes, size_t count, idx_array *array, io_error *error)
{
  io_source s;
  size_t needed = 0;
  *array = (idx_array){0};
  io_status status = io_source_open(&s, name, bytes, count, error);
  if (status) return status;
  status = read_head(&s, array, &needed, error);
  io_source_close(&s);
  return status;
}

io_status idx_read(const char *path, idx_array *array, io_error *error)
{
  io_buffer file = {0};
  io_status status = io_read_file(path, IO_MOST_BYTES, &file, error);
  if (!status) status = idx_parse(path, file.bytes, file.count, array, error);
  io_buffer_free(&file);
  return status;
}
