/* A table that finds numbers by name: hashes with open addressing. */
#ifndef CB_ONNX_NAMES_H
#define CB_ONNX_NAMES_H

#include <cnnblas/status.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  struct cb_onnx_named {
    const char *name; /* the name, owned by somebody else; NULL: the slot is empty */
    int64_t number;
  } * slots;
  size_t room; /* number of slots, a power of two */
} cb_onnx_names;

/* Makes a table with room for `count` names. */
cnnblas_status cb_onnx_names_create(cb_onnx_names *names, size_t count);
void cb_onnx_names_free(cb_onnx_names *names);
/* The number of a name; -1 if the table does not have it. */
int64_t cb_onnx_names_find(const cb_onnx_names *names, const char *name);
/* Gives a name a number, in place of one that it had. */
void cb_onnx_names_put(cb_onnx_names *names, const char *name, int64_t number);

#endif
