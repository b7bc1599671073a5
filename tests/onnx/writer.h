/* Writes small models in ONNX's format, for tests: protobuf's wire format by hand. */
#ifndef TESTS_ONNX_WRITER_H
#define TESTS_ONNX_WRITER_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that grow; free() gives them back. */
typedef struct {
  uint8_t *bytes;
  size_t count, room;
} writer;

void writer_number(writer *w, int field, uint64_t value);
void writer_bytes(writer *w, int field, const void *bytes, size_t count);
void writer_text(writer *w, int field, const char *text);
/* Puts a message into w, and frees it. */
void writer_message(writer *w, int field, writer *message);

/* Parts of a graph. Lists of names end in NULL; sizes of -1 are a dimension named "n". */
void writer_node(writer *graph, const char *op, const char *name, const char *const *inputs, const char *const *outputs,
                 writer *attributes);
void writer_attribute_ints(writer *attributes, const char *name, const int64_t *values, int count);
void writer_attribute_int(writer *attributes, const char *name, int64_t value);
void writer_attribute_float(writer *attributes, const char *name, float value);
void writer_value(writer *graph, int field, const char *name, int type, const int64_t *size, int rank);
void writer_tensor(writer *graph, const char *name, int type, const int64_t *size, int rank, const void *data,
                   size_t bytes);

enum { WRITER_INPUT = 11, WRITER_OUTPUT = 12, WRITER_F32 = 1, WRITER_I64 = 7 };

/* A model of this graph, which is freed. */
writer writer_model(writer *graph, int opset);

#endif
