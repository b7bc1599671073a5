/* Arrays of `cnnblas run`: .npy, .pb, .safetensors and pictures in, .npy out. */
#include "io/file.h"
#include "io/picture.h"
#include "io/picture_fit.h"
#include "io/safetensors.h"
#include "io/system.h"
#include "run_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  cnnblas_onnx_type type;
  const char *npy, *safetensors;
} types[] = {{CNNBLAS_ONNX_F32, "<f4", "F32"}, {CNNBLAS_ONNX_F64, "<f8", "F64"}, {CNNBLAS_ONNX_I32, "<i4", "I32"},
             {CNNBLAS_ONNX_I64, "<i8", "I64"}, {CNNBLAS_ONNX_U8, "|u1", "U8"},   {CNNBLAS_ONNX_BOOL, "|b1", "BOOL"}};
enum { TYPES = sizeof types / sizeof *types };

/* Copies elements that lie at any address; `bytes` are there. */
static int copy(const char *path, cnnblas_onnx_array *a, const void *data, size_t bytes)
{
  int64_t wanted;
  if (__builtin_mul_overflow(array_elements(a), (int64_t)cnnblas_onnx_type_bytes(a->type), &wanted) ||
      wanted != (int64_t)bytes)
    return command_fail(COMMAND_BAD_INPUT, "%s: %zu bytes are not those of its shape", path, bytes);
  void *room = io_alloc(bytes ? bytes : 1);
  if (!room) return command_fail(COMMAND_NO_ROOM, "%s: out of memory for %zu bytes", path, bytes);
  if (bytes) memcpy(room, data, bytes);
  a->data = room;
  return COMMAND_FINE;
}

void run_free(cnnblas_onnx_array *a)
{
  io_free((void *)a->data);
  memset(a, 0, sizeof *a);
}

/* ---- .npy: "\x93NUMPY", version, length of a Python dictionary, the dictionary, the elements ---- */

/* The value behind 'key': in the dictionary; NULL if it is not there. */
static const char *value_of(const char *head, const char *key)
{
  const char *at = strstr(head, key);
  at = at ? strchr(at, ':') : NULL;
  if (!at) return NULL;
  do at++;
  while (*at == ' ');
  return at;
}

static int parse_npy_head(const char *path, const char *head, cnnblas_onnx_array *a)
{
  const char *type = value_of(head, "'descr'"), *order = value_of(head, "'fortran_order'"),
             *shape = value_of(head, "'shape'");
  if (!type || !order || !shape || *shape != '(')
    return command_fail(COMMAND_BAD_INPUT, "%s: no head of a .npy file", path);
  for (int i = 0; i < TYPES; i++)
    if (!strncmp(type + 1, types[i].npy, 3)) a->type = types[i].type;
  if (!a->type || strncmp(order, "False", 5))
    return command_fail(COMMAND_BAD_INPUT, "%s: elements of this type or order are not supported", path);
  for (char *at = (char *)shape + 1; *at && *at != ')';) {
    char *end;
    long long size = strtoll(at, &end, 10);
    if (end == at || size < 0 || a->rank == CNNBLAS_ONNX_RANK)
      return command_fail(COMMAND_BAD_INPUT, "%s: its shape", path);
    a->size[a->rank++] = size;
    at = end;
    while (*at == ',' || *at == ' ' || *at == 'L') at++;
  }
  return COMMAND_FINE;
}

static int parse_npy(const char *path, const io_buffer *file, cnnblas_onnx_array *a)
{
  char head[1024];
  const uint8_t *b = file->bytes;
  size_t front = file->count > 6 && b[6] > 1 ? 12 : 10, length;
  if (file->count < front) return command_fail(COMMAND_BAD_INPUT, "%s: it ends within its head", path);
  length = b[8] | (size_t)b[9] << 8;
  if (front == 12) length |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
  if (length > file->count - front || length >= sizeof head)
    return command_fail(COMMAND_BAD_INPUT, "%s: it ends within its head", path);
  memcpy(head, b + front, length);
  head[length] = 0;
  int status = parse_npy_head(path, head, a);
  return status ? status : copy(path, a, b + front + length, file->count - front - length);
}

int run_write(const char *path, const cnnblas_onnx_array *a)
{
  char head[512] = "\x93NUMPY\x01";
  io_error error;
  const char *type = "<f4";
  size_t bytes = (size_t)array_elements(a) * cnnblas_onnx_type_bytes(a->type);
  for (int i = 0; i < TYPES; i++)
    if (types[i].type == a->type) type = types[i].npy;
  int used = 10 + snprintf(head + 10, sizeof head - 10, "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
  for (int i = 0; i < a->rank; i++)
    used += snprintf(head + used, sizeof head - (size_t)used, "%lld,", (long long)a->size[i]);
  used += snprintf(head + used, sizeof head - (size_t)used, "), }");
  while (used % 64 != 63) head[used++] = ' ';
  head[used++] = '\n';
  head[8] = (char)((used - 10) & 255);
  head[9] = (char)((used - 10) >> 8);
  io_part parts[] = {{head, (size_t)used}, {a->data, bytes}};
  int status = (int)io_replace_file(path, parts, 2, &error);
  return status ? command_fail(status, "%s", error.text) : COMMAND_FINE;
}

/* ---- the others ---- */

static int read_pb(const char *path, cnnblas_onnx_array *array)
{
  cnnblas_onnx_array from;
  cnnblas_status why = cnnblas_onnx_array_load(path, &from);
  if (why) return command_fail_library(why, COMMAND_BAD_INPUT, NULL);
  *array = from;
  int status = copy(path, array, from.data, (size_t)array_elements(&from) * cnnblas_onnx_type_bytes(from.type));
  cnnblas_onnx_array_free(&from);
  if (status) memset(array, 0, sizeof *array);
  return status;
}

static int read_safetensors(const char *path, const cnnblas_onnx_array *declared, cnnblas_onnx_array *a)
{
  st_file file = {0};
  io_error error;
  io_status bad = st_read(path, &file, &error);
  if (bad) return command_fail((int)bad, "%s", error.text);
  const st_tensor *t = st_find(&file, declared->name);
  int status = t ? COMMAND_FINE : command_fail(COMMAND_BAD_INPUT, "%s: it has no tensor %s", path, declared->name);
  for (int i = 0; i < TYPES && t; i++)
    if (!strcmp(t->dtype, types[i].safetensors)) a->type = types[i].type;
  if (!status && !a->type) status = command_fail(COMMAND_BAD_INPUT, "%s: type %s is not supported", path, t->dtype);
  if (!status) {
    a->rank = t->rank;
    for (int i = 0; i < t->rank; i++) a->size[i] = t->shape[i];
    status = copy(path, a, t->data, t->bytes);
  }
  st_free(&file);
  return status;
}

/* A picture becomes one image of as many channels as the model takes. */
static int parse_picture(const run_options *o, const char *path, const io_buffer *file,
                         const cnnblas_onnx_array *declared, cnnblas_onnx_array *a)
{
  picture p = {0};
  io_error error;
  int64_t channels = declared->rank == 4 ? declared->size[o->nhwc ? 3 : 1] : 0;
  if (declared->type != CNNBLAS_ONNX_F32 || (channels != 1 && channels != 3))
    return command_fail(COMMAND_BAD_INPUT, "%s: the model's input takes no picture", path);
  io_status bad = picture_parse(path, file->bytes, file->count, channels, &p, &error);
  const int64_t h = declared->size[o->nhwc ? 1 : 2], w = declared->size[o->nhwc ? 2 : 3];
  if (!bad) bad = picture_fit(path, &p, h < 0 ? p.h : h, w < 0 ? p.w : w, &p, &error);
  if (bad) {
    picture_free(&p);
    return command_fail((int)bad, "%s", error.text);
  }
  *a = (cnnblas_onnx_array){.type = CNNBLAS_ONNX_F32, .rank = 4, .size = {1, p.c, p.h, p.w}};
  int64_t pixels = p.h * p.w;
  size_t bytes = (size_t)(p.c * pixels) * sizeof(float);
  float *x = io_alloc(bytes);
  if (!x) {
    picture_free(&p);
    return command_fail(COMMAND_NO_ROOM, "%s: out of memory for %zu bytes", path, bytes);
  }
  for (int64_t c = 0; c < p.c; c++)
    for (int64_t i = 0; i < pixels; i++)
      x[o->nhwc ? i * p.c + c : c * pixels + i] = (float)((p.pixels[c * pixels + i] - o->mean[c]) * o->scale[c]);
  if (o->nhwc) memcpy(a->size, (int64_t[]){1, p.h, p.w, p.c}, 4 * sizeof *a->size);
  a->data = x;
  picture_free(&p);
  return COMMAND_FINE;
}

static bool ends_in(const char *path, const char *ending)
{
  size_t length = strlen(path), tail = strlen(ending);
  return length >= tail && !strcmp(path + length - tail, ending);
}

int run_read(const run_options *o, const char *path, const cnnblas_onnx_array *declared, cnnblas_onnx_array *array)
{
  io_buffer file = {0};
  io_error error;
  memset(array, 0, sizeof *array);
  if (ends_in(path, ".pb")) return read_pb(path, array);
  if (ends_in(path, ".safetensors")) return read_safetensors(path, declared, array);
  int status = (int)io_read_file(path, IO_MOST_BYTES, &file, &error);
  if (status) return command_fail(status, "%s", error.text);
  if (file.count >= 6 && !memcmp(file.bytes, "\x93NUMPY", 6))
    status = parse_npy(path, &file, array);
  else if (picture_recognise(file.bytes, file.count))
    status = parse_picture(o, path, &file, declared, array);
  else
    status = command_fail(COMMAND_BAD_INPUT, "%s: neither .npy, .pb, .safetensors nor a picture", path);
  io_buffer_free(&file);
  if (status) run_free(array);
  return status;
}
