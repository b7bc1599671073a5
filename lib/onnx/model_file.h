/*
 * A model's file becomes messages without lying in memory twice: its large constants are left out of the bytes that are
 * unpacked, and read from the file to where they stay.
 */
#ifndef CB_ONNX_MODEL_FILE_H
#define CB_ONNX_MODEL_FILE_H

#include "onnx/wire.h"

/* Unpacks a file whose message is a ModelProto, as cb_onnx_unpack does with all of its bytes; *count is how many these
   are. Fails with CNNBLAS_IO_ERROR too. */
cnnblas_status cb_onnx_unpack_model(cb_onnx_message *m, const char *path, size_t *count);

#endif
