/* A network's design: its layers in their order, every shape computed, nothing allocated but the list itself. */
#ifndef CB_NET_DESIGN_H
#define CB_NET_DESIGN_H

#include <cnnblas/layers.h>
#include <cnnblas/net.h>
#include <stdbool.h>
#include <stdint.h>

enum { CB_NET_MAX_LAYERS = 1000 };

typedef enum {
  CB_NET_CONV,
  CB_NET_POOL,
  CB_NET_FC,
  CB_NET_RELU,
  CB_NET_LEAKY,
  CB_NET_SIGMOID,
  CB_NET_TANH,
  CB_NET_KINDS
} cb_net_kind;

/* Shape of one image: c channels of size[0..rank). */
typedef struct {
  int64_t c, size[3], elements;
} cb_net_shape;

/* One layer as the text has it. The descriptors are complete but for dtype, n and threads, which stay 0. */
typedef struct {
  cb_net_kind kind;
  int column; /* of its keyword, from 1 */
  int place;  /* among its kind, from 1 */
  cb_net_shape in, out;
  cnnblas_conv_desc conv;
  uint8_t *maps; /* [k][c/g], or NULL: all */
  cnnblas_pool_desc pool;
  cnnblas_activation_desc activation;
  bool bare; /* an FC without a number */
} cb_net_spec;

typedef struct {
  int rank;
  cb_net_shape input;
  cb_net_spec *layers;
  int64_t count;
} cb_net_design;

/* Adds a layer behind the last: computes its output shape. The spec's fields that describe it are filled in, its maps
   are taken over. Fails with CNNBLAS_BAD_FORMAT and the column. */
cnnblas_status cb_design_add(cb_net_design *design, const cb_net_spec *spec);

void cb_design_free(cb_net_design *design);

/* The shape that the next layer gets. */
const cb_net_shape *cb_design_end(const cb_net_design *design);

/* "conv", "POOL max": lower-case name and the notation's keyword of a kind. */
const char *cb_net_kind_name(cb_net_kind kind);

#endif
