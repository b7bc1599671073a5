/*
 * The graph core: values, and nodes that make values from values, in an order in which each node comes behind those
 * whose results it reads. It knows no operator: a node names a row of functions that the graph's builder brings along
 * (networks their layers, importers their operators). Part of libcnnblas, but not of its interface; other libraries of
 * ours reach it by exact version, as they do base/shared.h.
 *
 *   cnnblas_graph_add_value(&graph, &shape, &x);
 *   cnnblas_graph_add_node(&graph, &my_operator, self, &x, 1, &y);     infers y's shape
 *   cnnblas_graph_prepare(&graph, context, &workspace);
 *   cnnblas_graph_spans(&graph, spans); cnnblas_graph_place(spans, graph.value_count, &bytes);
 *   cnnblas_graph_run(&graph, &run, 0, graph.node_count);
 */
#ifndef CB_GRAPH_GRAPH_H
#define CB_GRAPH_GRAPH_H

#include <cnnblas/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  CB_GRAPH_RANK = 8,     /* the most axes of a value */
  CB_GRAPH_NONE = -1,    /* no value, no node */
  CB_GRAPH_INPUTS = 256, /* the most inputs of a node */
  CB_GRAPH_OUTPUTS = 16, /* the most outputs of a node */
  CB_GRAPH_ALIGN = 64    /* each array begins at a multiple of so many bytes */
};

typedef enum {
  CB_GRAPH_F32,
  CB_GRAPH_F64,
  CB_GRAPH_I32,
  CB_GRAPH_I64,
  CB_GRAPH_U8,
  CB_GRAPH_BOOL,
  CB_GRAPH_TYPES
} cb_graph_type;

typedef struct {
  cb_graph_type type;
  int rank;
  int64_t size[CB_GRAPH_RANK];
  int64_t elements; /* the product of the sizes, counted by the graph */
} cb_graph_shape;

/* One run of a node. */
typedef struct {
  void *self;                /* what the node's builder gave it: a layer, for example */
  void *context;             /* the run's context */
  const void *const *inputs; /* [inputs], their arrays */
  void *const *outputs;      /* [outputs], their arrays */
} cb_graph_call;

/* An operator: its functions. One that fails leaves a sentence in cnnblas_last_error(). */
typedef struct {
  const char *name;
  /* Fills the outputs' type, rank and sizes from the inputs' shapes. */
  cnnblas_status (*infer)(void *self, const cb_graph_shape *const *inputs, int count, cb_graph_shape *outputs);
  /* Makes plans; *workspace (0 before) gets the bytes that a run needs beside its arrays. NULL: there is nothing to
     prepare. */
  cnnblas_status (*prepare)(void *self, void *context, size_t *workspace);
  cnnblas_status (*run)(const cb_graph_call *call);
  /* Frees self. NULL: self belongs to somebody else. */
  void (*release)(void *self);
} cb_graph_operator;

typedef struct {
  cb_graph_shape shape;
  int64_t producer; /* the node that makes the value; CB_GRAPH_NONE: it comes from outside */
  int64_t readers;  /* number of nodes' inputs that are this value */
  int64_t last;     /* the last node that reads the value, or CB_GRAPH_NONE */
  int64_t shares;   /* the value in whose array this one lies, or CB_GRAPH_NONE: it has its own */
  size_t offset;    /* bytes from the beginning of the shared value to this one; 0 without */
  bool kept;        /* the array is still needed after the run */
} cb_graph_value;

typedef struct {
  const cb_graph_operator *op;
  void *self;
  int64_t links;       /* where the node's inputs begin in the graph's list; its outputs stand behind them */
  int inputs, outputs; /* number of each */
} cb_graph_node;

typedef struct {
  cb_graph_value *values;
  cb_graph_node *nodes;
  int64_t *links; /* the numbers of the values that nodes read and make */
  int64_t value_count, node_count, link_count;
  int64_t value_room, node_room, link_room;
} cb_graph;

/* Frees the lists and what the operators release; the graph is empty then. */
CNNBLAS_API void cnnblas_graph_free(cb_graph *graph);

/* Bytes of an element of a type. */
CNNBLAS_API size_t cnnblas_graph_type_bytes(cb_graph_type type);

/* Adds a value that comes from outside. Fails with CNNBLAS_SIZE_OVERFLOW or CNNBLAS_OUT_OF_MEMORY. */
CNNBLAS_API cnnblas_status cnnblas_graph_add_value(cb_graph *graph, const cb_graph_shape *shape, int64_t *value);

/* Adds a node behind all others, and its outputs as values; *first is the first of these. self belongs to the graph if,
   and only if, that succeeds. Fails as the operator's infer does. */
CNNBLAS_API cnnblas_status cnnblas_graph_add_node(cb_graph *graph, const cb_graph_operator *op, void *self,
                                                  const int64_t *inputs, int input_count, int output_count,
                                                  int64_t *first);

/* Infers the shapes of a node's outputs anew, after its self has changed. */
CNNBLAS_API cnnblas_status cnnblas_graph_infer(cb_graph *graph, int64_t node);

/* Calls every operator's prepare; *workspace gets the largest number of bytes that one asks for. */
CNNBLAS_API cnnblas_status cnnblas_graph_prepare(const cb_graph *graph, void *context, size_t *workspace);

/* The number of the value that is a node's j-th input, or output. */
static inline int64_t cb_graph_input(const cb_graph *graph, int64_t node, int j)
{
  return graph->links[graph->nodes[node].links + j];
}

static inline int64_t cb_graph_output(const cb_graph *graph, int64_t node, int j)
{
  return graph->links[graph->nodes[node].links + graph->nodes[node].inputs + j];
}

/* The value whose own array this value lies in: itself, or one that it shares. */
static inline int64_t cb_graph_root(const cb_graph *graph, int64_t value)
{
  while (graph->values[value].shares != CB_GRAPH_NONE) value = graph->values[value].shares;
  return value;
}

/* The bytes from the beginning of that array to the value. */
static inline size_t cb_graph_offset(const cb_graph *graph, int64_t value)
{
  size_t offset = 0;
  for (; graph->values[value].shares != CB_GRAPH_NONE; value = graph->values[value].shares)
    offset += graph->values[value].offset;
  return offset;
}

/* ---- memory ---- */

/* An array's bytes, the first and last step in which it is needed, and its offset in the block, which is the answer. */
typedef struct {
  size_t bytes;
  int64_t first, last;
  size_t place;
} cb_graph_span;

/* Fills spans[v] with the life of value v's array in a run of all nodes, a step each; values that share, or come from
   outside, have no bytes. */
CNNBLAS_API void cnnblas_graph_spans(const cb_graph *graph, cb_graph_span *spans);

/* Finds places so that no two arrays that live in the same step overlap: the largest first, each as low as it fits.
   *bytes is what all of them take. Fails with CNNBLAS_SIZE_OVERFLOW or CNNBLAS_OUT_OF_MEMORY. */
CNNBLAS_API cnnblas_status cnnblas_graph_place(cb_graph_span *spans, int64_t count, size_t *bytes);

/* ---- running ---- */

typedef struct {
  void *context;                                       /* what operators get as their call's context */
  void *(*locate)(const void *context, int64_t value); /* returns a value's array in this run */
} cb_graph_run;

/* Runs nodes [from, to) in their order, up to the first that fails. */
CNNBLAS_API cnnblas_status cnnblas_graph_run(const cb_graph *graph, const cb_graph_run *run, int64_t from, int64_t to);

#endif
