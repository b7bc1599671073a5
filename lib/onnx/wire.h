/*
 * From bytes to messages: first a scan of the wire format, which bounds how deep messages lie in each other, then
 * protobuf-c's unpacking, with an allocator that gives no more than a file of that size may claim.
 */
#ifndef CB_ONNX_WIRE_H
#define CB_ONNX_WIRE_H

#include <cnnblas/status.h>
#include <onnx.pb-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  CB_ONNX_DEPTH = 64,
  CB_ONNX_SPARE = 16 << 20 /* bytes that a message may take beside a multiple of the file's */
};

/* An unpacked message and its memory. */
typedef struct {
  ProtobufCAllocator allocator;
  ProtobufCMessage *message; /* the unpacked message, owned */
  size_t budget, used;       /* the most bytes that it may take, and those that it takes */
  bool spent;                /* true: unpacking asked for more than the budget */
} cb_onnx_message;

/* Unpacks bytes, which are not needed any more afterwards. `what` names them in sentences. On an error nothing is
   owned.
   Fails with CNNBLAS_BAD_FORMAT or CNNBLAS_OUT_OF_MEMORY. */
cnnblas_status cb_onnx_unpack(cb_onnx_message *m, const ProtobufCMessageDescriptor *type, const void *bytes,
                              size_t count, const char *what);

void cb_onnx_message_free(cb_onnx_message *m);

/* Frees a piece of the message, to which it must not point any more. */
void cb_onnx_message_drop(cb_onnx_message *m, void *piece);

/* Opens a regular file, which the caller closes; *size is its bytes. Fails with CNNBLAS_IO_ERROR, and *fd is -1. */
cnnblas_status cb_onnx_open(const char *path, int *fd, size_t *size);

/* Reads `count` bytes from `offset` on. Fails with CNNBLAS_IO_ERROR, or CNNBLAS_BAD_FORMAT if the file ends before. */
cnnblas_status cb_onnx_read_at(int fd, const char *path, size_t offset, size_t count, void *bytes);

/* Reads a file whole, or `count` bytes of it from `offset` on (count SIZE_MAX: to its end). The caller frees *bytes
   with cnnblas_shared_free. Fails with CNNBLAS_IO_ERROR, CNNBLAS_BAD_FORMAT (the file ends before) or
   CNNBLAS_OUT_OF_MEMORY. */
cnnblas_status cb_onnx_read_file(const char *path, size_t offset, size_t count, void **bytes, size_t *got);

#endif
