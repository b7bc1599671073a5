/* Walks over arrays by strides; see strides.h. */
#include "onnx/strides.h"
#include <string.h>

/* True if axis i may be walked together with the axis k behind it. */
static bool joins(const cb_onnx_walk *w, int inputs, int i, int k)
{
  for (int j = 0; j < inputs; j++)
    if (w->stride[j][i] != w->stride[j][k] * w->size[k]) return false;
  return true;
}

void cb_onnx_walk_simplify(cb_onnx_walk *w, int inputs)
{
  int kept = 0; /* axes [0, kept) are final */
  for (int i = 0; i < w->rank; i++) {
    if (w->size[i] == 1) continue;
    if (kept && joins(w, inputs, kept - 1, i)) {
      w->size[kept - 1] *= w->size[i];
      for (int j = 0; j < inputs; j++) w->stride[j][kept - 1] = w->stride[j][i];
      continue;
    }
    w->size[kept] = w->size[i];
    for (int j = 0; j < inputs; j++) w->stride[j][kept] = w->stride[j][i];
    kept++;
  }
  if (!kept) {
    w->size[0] = 1;
    for (int j = 0; j < inputs; j++) w->stride[j][0] = 0;
    kept = 1;
  }
  w->rank = kept;
}

typedef struct {
  const cb_onnx_walk *walk;
  int inputs;
  int64_t rows, parts, elements; /* number of rows, of tasks, and of elements of the box */
  cb_onnx_row row;
  void *context;
} job;

/* Runs a task's part of the box's only row. */
static void run_piece(const job *j, int64_t task)
{
  const cb_onnx_walk *w = j->walk;
  int64_t from = cb_split(j->elements, j->parts, task), to = cb_split(j->elements, j->parts, task + 1);
  int64_t at[CB_ONNX_WALKED], step[CB_ONNX_WALKED];
  for (int i = 0; i < j->inputs; i++) {
    step[i] = w->stride[i][0];
    at[i] = from * step[i];
  }
  j->row(j->context, from, at, step, to - from);
}

static void run_rows(void *context, int64_t task, int worker)
{
  const job *j = context;
  const cb_onnx_walk *w = j->walk;
  (void)worker;
  if (w->rank == 1) {
    run_piece(j, task);
    return;
  }
  int last = w->rank - 1;
  int64_t from = cb_split(j->rows, j->parts, task), to = cb_split(j->rows, j->parts, task + 1);
  int64_t index[2 * CB_GRAPH_RANK], at[CB_ONNX_WALKED] = {0}, step[CB_ONNX_WALKED];
  int64_t rest = from;
  for (int a = last - 1; a >= 0; a--) {
    index[a] = rest % w->size[a];
    rest /= w->size[a];
    for (int i = 0; i < j->inputs; i++) at[i] += index[a] * w->stride[i][a];
  }
  for (int i = 0; i < j->inputs; i++) step[i] = w->stride[i][last];
  for (int64_t r = from; r < to; r++) {
    j->row(j->context, r * w->size[last], at, step, w->size[last]);
    for (int a = last - 1; a >= 0; a--) {
      for (int i = 0; i < j->inputs; i++) at[i] += w->stride[i][a];
      if (++index[a] < w->size[a]) break;
      index[a] = 0;
      for (int i = 0; i < j->inputs; i++) at[i] -= w->size[a] * w->stride[i][a];
    }
  }
}

void cb_onnx_walk_run(const cb_onnx_walk *w, int inputs, int32_t threads, cb_onnx_row row, void *context)
{
  enum { TASK = 1 << 15 }; /* elements that are worth a task */
  job j = {.walk = w, .inputs = inputs, .rows = 1, .row = row, .context = context};
  for (int a = 0; a < w->rank - 1; a++) j.rows *= w->size[a];
  j.elements = j.rows * w->size[w->rank - 1];
  if (!j.elements) return;
  j.parts = cb_min(cb_parts(j.elements, TASK), w->rank == 1 ? j.elements : j.rows);
  cnnblas_shared_parallel(j.parts > 1 ? threads : 1, j.parts, run_rows, &j);
}

typedef struct {
  const char *x;
  char *y;
  size_t bytes;
} copying;

#define COPY_STEPS(type)                                                                                               \
  {                                                                                                                    \
    const type *x = (const type *)c->x + in[0];                                                                        \
    type *y = (type *)c->y + out;                                                                                      \
    for (int64_t i = 0; i < count; i++) y[i] = x[i * step[0]];                                                         \
  }

static void copy_row(void *context, int64_t out, const int64_t *in, const int64_t *step, int64_t count)
{
  const copying *c = context;
  if (step[0] == 1)
    memcpy(c->y + (size_t)out * c->bytes, c->x + in[0] * (int64_t)c->bytes, (size_t)count * c->bytes);
  else if (c->bytes == 4)
    COPY_STEPS(uint32_t)
  else if (c->bytes == 8)
    COPY_STEPS(uint64_t)
  else
    COPY_STEPS(uint8_t)
}

void cb_onnx_walk_copy(const cb_onnx_walk *w, int32_t threads, size_t bytes, const void *x, void *y)
{
  cb_onnx_walk simple = *w;
  cb_onnx_walk_simplify(&simple, 1);
  cb_onnx_walk_run(&simple, 1, threads, copy_row, &(copying){x, y, bytes});
}

void cb_onnx_walk_broadcast(cb_onnx_walk *w, const cb_graph_shape *out, const cb_graph_shape *const *in, int inputs,
                            const int *last)
{
  memset(w, 0, sizeof *w);
  w->rank = out->rank;
  for (int i = 0; i < out->rank; i++) w->size[i] = out->size[i];
  for (int j = 0; j < inputs; j++) {
    int64_t stride = 1;
    for (int i = in[j]->rank - 1, at = last ? last[j] : out->rank - 1; i >= 0; i--, at--) {
      if (in[j]->size[i] != 1) w->stride[j][at] = stride;
      stride *= in[j]->size[i];
    }
  }
  cb_onnx_walk_simplify(w, inputs);
}

bool cb_onnx_broadcast(const cb_graph_shape *a, const cb_graph_shape *b, cb_graph_shape *out)
{
  cb_graph_shape y = {.type = a->type, .rank = a->rank > b->rank ? a->rank : b->rank, .elements = 1};
  for (int i = 1; i <= y.rank; i++) {
    int64_t p = i <= a->rank ? a->size[a->rank - i] : 1, q = i <= b->rank ? b->size[b->rank - i] : 1;
    if (p != q && p != 1 && q != 1) return false;
    y.size[y.rank - i] = p == 1 ? q : p;
  }
  *out = y;
  return true;
}
