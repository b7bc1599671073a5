/* Writing safetensors; see safetensors.h. */
#include "io/safetensors.h"
#include "io/system.h"
#include <endian.h>
#include <string.h>

/* {"dtype": "F32", "shape": [...], "data_offsets": [begin, end]}; NULL if there is no memory. */
static json_t *describe(const st_tensor *t, size_t begin)
{
  json_t *shape = json_array();
  int failed = !shape;
  for (int i = 0; i < t->rank && !failed; i++) failed = json_array_append_new(shape, json_integer(t->shape[i]));
  if (failed) {
    json_decref(shape);
    return NULL;
  }
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype", t->dtype, "shape", shape, "data_offsets", (json_int_t)begin,
                   (json_int_t)(begin + t->bytes));
}

/* The whole header, the arrays one after the other; NULL if there is no memory. */
static json_t *make_header(const st_tensor *tensors, size_t count, json_t *metadata)
{
  json_t *header = json_object();
  size_t begin = 0;
  int failed = !header || (metadata && json_object_set(header, "__metadata__", metadata));
  for (size_t i = 0; i < count && !failed; i++) {
    failed = json_object_set_new(header, tensors[i].name, describe(&tensors[i], begin));
    begin += tensors[i].bytes;
  }
  if (!failed) return header;
  json_decref(header);
  return NULL;
}

/* [8 bytes of length][text][blanks to a multiple of 8]; NULL if there is no memory. */
static uint8_t *make_front(const char *text, size_t *bytes)
{
  size_t length = (strlen(text) + 7) / 8 * 8;
  uint8_t *front = io_alloc(8 + length);
  if (!front) return NULL;
  uint64_t written = htole64(length);
  memcpy(front, &written, 8);
  memset(front + 8, ' ', length);
  memcpy(front + 8, text, strlen(text));
  *bytes = 8 + length;
  return front;
}

io_status st_write(const char *path, const st_tensor *tensors, size_t count, json_t *metadata, io_error *error)
{
  io_json_begin();
  json_t *header = make_header(tensors, count, metadata);
  char *text = header ? json_dumps(header, JSON_COMPACT) : NULL;
  io_part *parts = io_alloc_zeroed(count + 1, sizeof *parts);
  size_t front_bytes = 0;
  uint8_t *front = text ? make_front(text, &front_bytes) : NULL;
  io_status status = IO_OK;
  if (!front || !parts || io_json_lacked_memory())
    status = io_fail(error, IO_NO_ROOM, "%s: out of memory for the header", path);
  if (!status && front_bytes - 8 > ST_MOST_HEADER)
    status = io_fail(error, IO_NO_ROOM, "%s: a header of %zu bytes; the format allows %d", path, front_bytes - 8,
                     ST_MOST_HEADER);
  if (!status) {
    parts[0] = (io_part){front, front_bytes};
    for (size_t i = 0; i < count; i++) parts[i + 1] = (io_part){tensors[i].data, tensors[i].bytes};
    status = io_replace_file(path, parts, count + 1, error);
  }
  io_free(front);
  io_free(parts);
  io_free(text);
  json_decref(header);
  return status;
}
