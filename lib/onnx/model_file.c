/*
 * Unpacking a model's file; see model_file.h.
 *
 *     file      ... graph [length] ... initializer [length] ... raw_data [length] elements ...
 *     skeleton  ... graph [shorter] ... initializer [shorter] ... raw_data [0] ...
 *
 * Lengths keep the bytes that they have in the file, so that nothing else moves. What the walk does not expect, and
 * whatever else goes wrong with a skeleton, makes the file be unpacked whole: its errors are told by that.
 */
#include "onnx/model_file.h"
#include "base/shared.h"
#include <string.h>
#include <unistd.h>

enum {
  GRAPH = 7,       /* numbers of the fields ModelProto.graph, */
  INITIALIZER = 5, /* GraphProto.initializer */
  RAW_DATA = 9,    /* and TensorProto.raw_data */
  LARGE = 1 << 16, /* the least bytes of raw_data that are left out */
  WINDOW = 4096    /* bytes of the file that are looked at together */
};

/* A length in the file: where it stands, in how many bytes, and what it says. */
typedef struct {
  size_t at, width, value;
} length;

/* Elements that are left out of the skeleton. */
typedef struct {
  length tensor, data;
  size_t at;          /* where the elements begin in the file */
  size_t initializer; /* the number of the graph's initializer whose elements they are */
} cut;

typedef struct {
  int fd;
  const char *path;
  size_t size;
  uint8_t window[WINDOW];
  size_t first, held; /* the window holds bytes [first, first + held) of the file */
  cut *cuts;          /* [room], filled unless NULL */
  size_t room;
  size_t count, left_out; /* number of cuts, and the bytes that they leave out */
  length graph;
} walk;

/* Reads the varint at *at, below end, and steps behind it. */
static bool read_varint(walk *w, size_t *at, size_t end, uint64_t *value)
{
  *value = 0;
  for (int shift = 0; shift < 64 && *at < end; shift += 7, ++*at) {
    if (*at < w->first || *at >= w->first + w->held) {
      const size_t rest = w->size - *at, wanted = rest < WINDOW ? rest : WINDOW;
      w->first = *at;
      w->held = cb_onnx_read_at(w->fd, w->path, *at, wanted, w->window) ? 0 : wanted;
      if (!w->held) return false;
    }
    const uint8_t byte = w->window[*at - w->first];
    *value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) {
      ++*at;
      return true;
    }
  }
  return false;
}

/* Steps over a field's key and what is no message; *field is its number, or 0 for fields that have no length. *l is the
   length of others, at whose contents *at stands then. */
static bool read_field(walk *w, size_t *at, size_t end, uint64_t *field, length *l)
{
  uint64_t key, value;
  if (!read_varint(w, at, end, &key)) return false;
  *field = (key & 7) == 2 ? key >> 3 : 0;
  switch (key & 7) {
  case 0:
    return read_varint(w, at, end, &value);
  case 1:
  case 5:
    value = (key & 7) == 1 ? 8 : 4;
    if (value > end - *at) return false;
    *at += value;
    return true;
  case 2:
    l->at = *at;
    if (!read_varint(w, at, end, &value) || value > end - *at) return false;
    l->width = *at - l->at;
    l->value = (size_t)value;
    return true;
  default:
    return false;
  }
}

/* Looks for large elements in the tensor of that length, whose fields begin at `at`. */
static bool walk_tensor(walk *w, size_t at, const length *tensor, size_t initializer)
{
  const size_t end = at + tensor->value;
  bool seen = false;
  while (at < end) {
    uint64_t field;
    length l;
    if (!read_field(w, &at, end, &field, &l)) return false;
    if (!field) continue;
    if (field == RAW_DATA) {
      if (seen) return false; /* the last of several counts */
      seen = true;
      if (l.value >= LARGE) {
        if (w->count < w->room) w->cuts[w->count] = (cut){*tensor, l, at, initializer};
        w->count++;
        w->left_out += l.value;
      }
    }
    at += l.value;
  }
  return true;
}

static bool walk_graph(walk *w, size_t at)
{
  const size_t end = at + w->graph.value;
  size_t initializer = 0;
  while (at < end) {
    uint64_t field;
    length l;
    if (!read_field(w, &at, end, &field, &l)) return false;
    if (!field) continue;
    if (field == INITIALIZER && !walk_tensor(w, at, &l, initializer++)) return false;
    at += l.value;
  }
  return true;
}

/* Finds the cuts. False where the file is not what is expected: one graph, whose initializers have one raw_data each. */
static bool walk_model(walk *w)
{
  size_t at = 0;
  bool seen = false;
  w->count = w->left_out = 0;
  while (at < w->size) {
    uint64_t field;
    length l;
    if (!read_field(w, &at, w->size, &field, &l)) return false;
    if (!field) continue;
    if (field == GRAPH) {
      if (seen) return false;
      seen = true;
      w->graph = l;
      if (!walk_graph(w, at)) return false;
    }
    at += l.value;
  }
  return true;
}

/* Writes a length's new value over it in the skeleton, where it stands at `at`. */
static void put_length(uint8_t *skeleton, size_t at, const length *l, size_t value)
{
  for (size_t i = 0; i < l->width; i++, value >>= 7)
    skeleton[at + i] = (uint8_t)((value & 127) | (i + 1 < l->width ? 128 : 0));
}

static cnnblas_status read_skeleton(const walk *w, uint8_t *skeleton)
{
  size_t from = 0, removed = 0;
  cnnblas_status status = CNNBLAS_OK;
  for (size_t i = 0; i <= w->count && !status; i++) {
    const cut *c = i < w->count ? &w->cuts[i] : NULL;
    const size_t end = c ? c->at : w->size;
    status = cb_onnx_read_at(w->fd, w->path, from, end - from, skeleton + from - removed);
    if (status || !c) break;
    put_length(skeleton, c->tensor.at - removed, &c->tensor, c->tensor.value - c->data.value);
    put_length(skeleton, c->data.at - removed, &c->data, 0);
    from = end + c->data.value;
    removed += c->data.value;
  }
  if (!status) put_length(skeleton, w->graph.at, &w->graph, w->graph.value - w->left_out);
  return status;
}

/* Reads the elements that were left out into the unpacked model. */
static cnnblas_status read_cuts(const walk *w, cb_onnx_message *m)
{
  CbOnnx__GraphProto *graph = ((CbOnnx__ModelProto *)m->message)->graph;
  for (size_t i = 0; i < w->count; i++) {
    const cut *c = &w->cuts[i];
    if (!graph || c->initializer >= graph->n_initializer || graph->initializer[c->initializer]->raw_data.len)
      return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "%.200s: it changes while it is read", w->path);
    ProtobufCBinaryData *data = &graph->initializer[c->initializer]->raw_data;
    data->data = m->allocator.alloc(m, c->data.value);
    if (!data->data) return cnnblas_shared_no_memory(c->data.value, w->path);
    data->len = c->data.value;
    cnnblas_status status = cb_onnx_read_at(w->fd, w->path, c->at, data->len, data->data);
    if (status) return status;
  }
  return CNNBLAS_OK;
}

/* Unpacks the skeleton and reads the rest. On an error nothing is owned. */
static cnnblas_status unpack_parts(const walk *w, cb_onnx_message *m)
{
  const size_t bytes = w->size - w->left_out;
  uint8_t *skeleton = cnnblas_shared_alloc(bytes, 0);
  if (!skeleton) return cnnblas_shared_no_memory(bytes, w->path);
  cnnblas_status status = read_skeleton(w, skeleton);
  if (!status) status = cb_onnx_unpack(m, &cb_onnx__model_proto__descriptor, skeleton, bytes, w->path);
  cnnblas_shared_free(skeleton);
  if (status) return status;
  m->budget += w->left_out;
  status = read_cuts(w, m);
  if (status) cb_onnx_message_free(m);
  return status;
}

cnnblas_status cb_onnx_unpack_model(cb_onnx_message *m, const char *path, size_t *count)
{
  walk w = {.path = path};
  bool parts = false;
  cnnblas_status status = cb_onnx_open(path, &w.fd, &w.size);
  if (status) return status;
  *count = w.size;
  if (walk_model(&w) && w.count) {
    const size_t room = w.count;
    w.cuts = cnnblas_shared_alloc(room * sizeof *w.cuts, 0);
    w.room = w.cuts ? room : 0;
    parts = w.cuts && walk_model(&w) && w.count == room && !unpack_parts(&w, m);
    cnnblas_shared_free(w.cuts);
  }
  close(w.fd);
  if (parts) return CNNBLAS_OK;
  void *bytes;
  status = cb_onnx_read_file(path, 0, SIZE_MAX, &bytes, count);
  if (status) return status;
  status = cb_onnx_unpack(m, &cb_onnx__model_proto__descriptor, bytes, *count, path);
  cnnblas_shared_free(bytes);
  return status;
}
