/*
 * Memory by liveness: which steps need which array, and places in one block so that arrays overlap only where their
 * lives do not. What is planned here is known before anything is allocated.
 */
#include "base/memory.h"
#include "base/size.h"
#include "base/status.h"
#include "graph/graph.h"

void cnnblas_graph_spans(const cb_graph *g, cb_graph_span *spans)
{
  for (int64_t v = 0; v < g->value_count; v++) {
    const cb_graph_value *value = &g->values[v];
    cb_graph_span *own = &spans[v];
    *own = (cb_graph_span){.first = value->producer, .last = value->producer};
    if (value->producer != CB_GRAPH_NONE && value->shares == CB_GRAPH_NONE)
      own->bytes = (size_t)value->shape.elements * cnnblas_graph_type_bytes(value->shape.type);
    cb_graph_span *life = &spans[cb_graph_root(g, v)]; /* a value lies in the array of an earlier one */
    life->last = cb_max(life->last, value->kept ? g->node_count : cb_max(value->last, value->producer));
  }
}

/* The span of most bytes among those not placed yet, the first of equals. */
static int64_t largest(const cb_graph_span *spans, int64_t count, const bool *placed)
{
  int64_t best = CB_GRAPH_NONE;
  for (int64_t i = 0; i < count; i++)
    if (!placed[i] && spans[i].bytes && (best == CB_GRAPH_NONE || spans[i].bytes > spans[best].bytes)) best = i;
  return best;
}

static int64_t end_of(const cb_graph_span *s)
{
  return (int64_t)s->place + cb_round_up((int64_t)s->bytes, CB_GRAPH_ALIGN);
}

/* Puts a span at the lowest place at which no placed one that lives in the same steps overlaps it. */
static void put(cb_graph_span *spans, int64_t count, const bool *placed, cb_graph_span *s)
{
  int64_t place = 0, before = -1;
  while (place != before) {
    before = place;
    for (int64_t i = 0; i < count; i++) {
      const cb_graph_span *o = &spans[i];
      if (!placed[i] || o->first > s->last || s->first > o->last) continue;
      if ((int64_t)o->place < place + cb_round_up((int64_t)s->bytes, CB_GRAPH_ALIGN) && place < end_of(o))
        place = end_of(o);
    }
  }
  s->place = (size_t)place;
}

cnnblas_status cnnblas_graph_place(cb_graph_span *spans, int64_t count, size_t *bytes)
{
  int64_t all = 0, end = 0;
  for (int64_t i = 0; i < count; i++)
    if (spans[i].bytes > INT64_MAX - CB_GRAPH_ALIGN ||
        !cb_add(all, cb_round_up((int64_t)spans[i].bytes, CB_GRAPH_ALIGN), &all))
      return cb_fail(CNNBLAS_SIZE_OVERFLOW, "the arrays' bytes do not fit in 63 bits");
  bool *placed = cb_alloc_zeroed(count ? (size_t)count * sizeof *placed : 1);
  if (!placed) return cb_fail(CNNBLAS_OUT_OF_MEMORY, "out of memory: %lld bytes to plan with", (long long)count);
  for (int64_t i; (i = largest(spans, count, placed)) != CB_GRAPH_NONE; placed[i] = true) {
    put(spans, count, placed, &spans[i]);
    end = cb_max(end, end_of(&spans[i]));
  }
  cb_free(placed);
  *bytes = (size_t)end;
  return CNNBLAS_OK;
}
