/* Writes small models in ONNX's format; see writer.h. */
#include "writer.h"
#include <stdlib.h>
#include <string.h>

static void put(writer *w, const void *bytes, size_t count)
{
  if (w->count + count > w->room) {
    w->room = 2 * (w->count + count);
    w->bytes = realloc(w->bytes, w->room);
    if (!w->bytes) abort();
  }
  if (count) memcpy(w->bytes + w->count, bytes, count);
  w->count += count;
}

static void put_varint(writer *w, uint64_t v)
{
  do {
    uint8_t byte = (uint8_t)((v & 127) | (v > 127 ? 128 : 0));
    put(w, &byte, 1);
    v >>= 7;
  } while (v);
}

void writer_number(writer *w, int field, uint64_t value)
{
  put_varint(w, (uint64_t)field << 3);
  put_varint(w, value);
}

void writer_bytes(writer *w, int field, const void *bytes, size_t count)
{
  put_varint(w, (uint64_t)field << 3 | 2);
  put_varint(w, count);
  put(w, bytes, count);
}

void writer_text(writer *w, int field, const char *text)
{
  writer_bytes(w, field, text, strlen(text));
}

void writer_message(writer *w, int field, writer *message)
{
  writer_bytes(w, field, message->bytes, message->count);
  free(message->bytes);
  memset(message, 0, sizeof *message);
}

void writer_node(writer *graph, const char *op, const char *name, const char *const *inputs, const char *const *outputs,
                 writer *attributes)
{
  writer node = {0};
  for (; *inputs; inputs++) writer_text(&node, 1, *inputs);
  for (; *outputs; outputs++) writer_text(&node, 2, *outputs);
  writer_text(&node, 3, name);
  writer_text(&node, 4, op);
  if (attributes) {
    put(&node, attributes->bytes, attributes->count);
    free(attributes->bytes);
    memset(attributes, 0, sizeof *attributes);
  }
  writer_message(graph, 1, &node);
}

void writer_attribute_ints(writer *attributes, const char *name, const int64_t *values, int count)
{
  writer a = {0};
  writer_text(&a, 1, name);
  for (int i = 0; i < count; i++) writer_number(&a, 8, (uint64_t)values[i]);
  writer_number(&a, 20, 7);
  writer_message(attributes, 5, &a);
}

void writer_attribute_int(writer *attributes, const char *name, int64_t value)
{
  writer a = {0};
  writer_text(&a, 1, name);
  writer_number(&a, 3, (uint64_t)value);
  writer_number(&a, 20, 2);
  writer_message(attributes, 5, &a);
}

void writer_attribute_float(writer *attributes, const char *name, float value)
{
  writer a = {0};
  writer_text(&a, 1, name);
  put_varint(&a, 2 << 3 | 5);
  put(&a, &value, sizeof value);
  writer_number(&a, 20, 1);
  writer_message(attributes, 5, &a);
}

void writer_value(writer *graph, int field, const char *name, int type, const int64_t *size, int rank)
{
  writer value = {0}, kind = {0}, tensor = {0}, shape = {0};
  for (int i = 0; i < rank; i++) {
    writer dimension = {0};
    if (size[i] < 0)
      writer_text(&dimension, 2, "n");
    else
      writer_number(&dimension, 1, (uint64_t)size[i]);
    writer_message(&shape, 1, &dimension);
  }
  writer_number(&tensor, 1, (uint64_t)type);
  writer_message(&tensor, 2, &shape);
  writer_message(&kind, 1, &tensor);
  writer_text(&value, 1, name);
  writer_message(&value, 2, &kind);
  writer_message(graph, field, &value);
}

void writer_tensor(writer *graph, const char *name, int type, const int64_t *size, int rank, const void *data,
                   size_t bytes)
{
  writer t = {0};
  for (int i = 0; i < rank; i++) writer_number(&t, 1, (uint64_t)size[i]);
  writer_number(&t, 2, (uint64_t)type);
  writer_text(&t, 8, name);
  writer_bytes(&t, 9, data, bytes);
  writer_message(graph, 5, &t);
}

writer writer_model(writer *graph, int opset)
{
  writer model = {0}, set = {0};
  writer_number(&model, 1, 8);
  writer_number(&set, 2, (uint64_t)opset);
  writer_message(&model, 8, &set);
  writer_message(&model, 7, graph);
  return model;
}
