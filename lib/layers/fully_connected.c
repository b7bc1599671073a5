/*
 * The fully connected layer y = x w^T + b: three products, each cut into tiles that depend on the shape alone, a serial
 * GEMM a tile.
 *
 *   forward       y  [n][out] = x [n][in] . w^T       tiles of ROWS images x OUTS outputs
 *   input         dx [n][in]  = dy [n][out] . w       tiles of IMAGES images x INS inputs
 *   weights       dw [out][in] = dy^T . x             tiles of OUTS outputs x INS inputs, the whole batch in each
 */
#include "base/memory.h"
#include "base/parallel.h"
#include "base/size.h"
#include "gemm/blas.h"
#include "layers/checks.h"
#include "layers/loops.h"
#include <string.h>

/* Images of one forward tile. Every tile multiplies exactly ROWS images, so that the bits of one image do not depend on
   how many others there are; the last tile goes through the workspace, filled up with zeros. */
enum { ROWS = 16, OUTS = 256, IMAGES = 64, INS = 256, WEIGHT_OUTS = 64 };

typedef struct {
  const cnnblas_fc_desc *d;
  const cb_layer_loops *loops;
  size_t element;
  int64_t n;
  const char *x, *w, *dy, *bias;
  char *out, *scratch;
  int relu;
  int64_t blocks; /* tiles along the fast axis */
} job;

void cnnblas_fc_desc_init(cnnblas_fc_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

static cnnblas_status check(const cnnblas_fc_desc *d, int64_t n)
{
  int64_t a, b, c, bytes;
  if (!d) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_dtype(d->dtype);
  if (!status) status = cb_check_threads(d->threads);
  if (!status) status = cb_check_reserved(d->reserved, sizeof d->reserved);
  if (!status) status = cb_check_size("desc.n", d->n, 0);
  if (!status) status = cb_check_size("in", d->in, 1);
  if (!status) status = cb_check_size("out", d->out, 1);
  if (!status) status = cb_check_batch(n, d->n);
  if (status) return status;
  if (!cb_mul(d->n, d->in, &a) || !cb_mul(d->n, d->out, &b) || !cb_mul(d->in, d->out, &c) ||
      !cb_mul(cb_max(a, cb_max(b, c)), 8, &bytes))
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "n * in, n * out or in * out does not fit in 63 bits");
  if (cb_max(d->n, cb_max(d->in, d->out)) > INT32_MAX - ROWS)
    return cb_fail(CNNBLAS_UNSUPPORTED, "n, in or out is above 2^31 - 17, which BLAS does not take");
  return CNNBLAS_OK;
}

static size_t scratch_bytes(const cnnblas_fc_desc *d)
{
  size_t row = cb_element_size(d->dtype) * ROWS;
  return cb_aligned_size((size_t)d->in * row) + cb_aligned_size((size_t)d->out * row);
}

static void forward_tile(void *context, int64_t task, int worker)
{
  (void)worker;
  const job *j = context;
  const cnnblas_fc_desc *d = j->d;
  int64_t in = task / j->blocks * ROWS, o = task % j->blocks * OUTS, outs = cb_min(OUTS, d->out - o);
  int64_t rows = cb_min(ROWS, j->n - in);
  bool whole = rows == ROWS;
  char *tail = j->scratch + cb_aligned_size((size_t)(d->in * ROWS) * j->element);
  char *y = whole ? j->out + (size_t)(in * d->out + o) * j->element : tail + (size_t)o * j->element;
  cb_gemm gemm = {.dtype = d->dtype, .transb = true, .m = ROWS, .n = outs, .k = d->in};
  gemm.a = whole ? j->x + (size_t)(in * d->in) * j->element : j->scratch;
  gemm.lda = gemm.ldb = d->in;
  gemm.b = j->w + (size_t)(o * d->in) * j->element;
  gemm.c = y;
  gemm.ldc = d->out;
  cb_blas_gemm(&gemm);
  for (int64_t i = 0; i < rows; i++) {
    char *row = y + (size_t)(i * d->out) * j->element;
    j->loops->bias_relu(1, outs, j->bias ? j->bias + (size_t)o * j->element : NULL, j->relu, row);
    if (!whole) memcpy(j->out + (size_t)((in + i) * d->out + o) * j->element, row, (size_t)outs * j->element);
  }
}

/* Threads wake for at least this many multiplications; fewer are done sooner than they would wake. */
static int threads_for(const cnnblas_fc_desc *d, int64_t n)
{
  return (double)n * (double)d->in * (double)d->out < 1e5 ? 1 : cb_layer_threads(d->threads);
}

static void run(job *j, int64_t tasks, cb_task tile)
{
  cb_blas_guard guard;
  cb_blas_begin(&guard);
  cb_parallel_for(threads_for(j->d, j->n), tasks, tile, j);
  cb_blas_end(&guard);
}

static job make_job(const cnnblas_fc_desc *d, int64_t n)
{
  return (job){.d = d, .loops = cb_layer_loops_for(d->dtype), .element = cb_element_size(d->dtype), .n = n};
}

static void forward(const cnnblas_fc_desc *d, int64_t n, const void *x, const void *w, const void *bias,
                    cnnblas_activation activation, void *y, void *scratch)
{
  job j = make_job(d, n);
  int64_t rest = n % ROWS;
  size_t row = (size_t)d->in * j.element;
  if (rest) {
    memcpy(scratch, (const char *)x + (size_t)(n - rest) * row, (size_t)rest * row);
    memset((char *)scratch + (size_t)rest * row, 0, (size_t)(ROWS - rest) * row);
  }
  j.x = x;
  j.w = w;
  j.bias = bias;
  j.relu = activation == CNNBLAS_RELU;
  j.out = y;
  j.scratch = scratch;
  j.blocks = cb_ceil_div(d->out, OUTS);
  run(&j, cb_ceil_div(n, ROWS) * j.blocks, forward_tile);
}

cnnblas_status cnnblas_fc_workspace(const cnnblas_fc_desc *desc, size_t *bytes)
{
  cnnblas_status status = check(desc, 0);
  if (status) return status;
  if (!bytes) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "bytes is NULL");
  *bytes = scratch_bytes(desc) + CB_ALIGN - 1;
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_fc_forward(const cnnblas_fc_desc *desc, int64_t n, const void *x, const void *w,
                                  const void *bias, cnnblas_activation activation, void *y, void *workspace,
                                  size_t workspace_bytes)
{
  cnnblas_status status = check(desc, n);
  if (status) return status;
  if (activation != CNNBLAS_IDENTITY && activation != CNNBLAS_RELU)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "activation is %d, which names no activation", (int)activation);
  size_t element = cb_element_size(desc->dtype), needed = scratch_bytes(desc) + CB_ALIGN - 1;
  if (workspace && workspace_bytes < needed)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "workspace_bytes is %zu; the layer needs %zu", workspace_bytes, needed);
  cb_array arrays[] = {{"y", y, n * desc->out, element, false},
                       {"workspace", workspace, (int64_t)needed, 1, true},
                       {"x", x, n * desc->in, element, false},
                       {"w", w, desc->in * desc->out, element, false},
                       {"bias", bias, desc->out, element, true}};
  status = cb_check_arrays(arrays, 5, 2);
  if (status) return status;
  void *own = NULL;
  if (!workspace && n % ROWS && !(workspace = own = cb_alloc(needed)))
    return cb_fail_memory(needed, "the last images of a fully connected layer");
  forward(desc, n, x, w, bias, activation, y, workspace ? cb_align(workspace) : NULL);
  cb_free(own);
  return CNNBLAS_OK;
}

static void data_tile(void *context, int64_t task, int worker)
{
  (void)worker;
  const job *j = context;
  const cnnblas_fc_desc *d = j->d;
  int64_t in = task / j->blocks * IMAGES, i = task % j->blocks * INS;
  cb_gemm gemm = {.dtype = d->dtype, .m = cb_min(IMAGES, j->n - in), .n = cb_min(INS, d->in - i), .k = d->out};
  gemm.a = j->dy + (size_t)(in * d->out) * j->element;
  gemm.lda = d->out;
  gemm.b = j->w + (size_t)i * j->element;
  gemm.ldb = gemm.ldc = d->in;
  gemm.c = j->out + (size_t)(in * d->in + i) * j->element;
  cb_blas_gemm(&gemm);
}

cnnblas_status cnnblas_fc_backward_data(const cnnblas_fc_desc *desc, int64_t n, const void *dy, const void *w, void *dx)
{
  cnnblas_status status = check(desc, n);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {{"dx", dx, n * desc->in, element, false},
                       {"dy", dy, n * desc->out, element, false},
                       {"w", w, desc->in * desc->out, element, false}};
  status = cb_check_arrays(arrays, 3, 1);
  if (status) return status;
  job j = make_job(desc, n);
  j.dy = dy;
  j.w = w;
  j.out = dx;
  j.blocks = cb_ceil_div(desc->in, INS);
  run(&j, cb_ceil_div(n, IMAGES) * j.blocks, data_tile);
  return CNNBLAS_OK;
}

static void weight_tile(void *context, int64_t task, int worker)
{
  (void)worker;
  const job *j = context;
  const cnnblas_fc_desc *d = j->d;
  int64_t o = task / j->blocks * WEIGHT_OUTS, i = task % j->blocks * INS;
  cb_gemm gemm = {.dtype = d->dtype, .transa = true, .m = cb_min(WEIGHT_OUTS, d->out - o), .n = cb_min(INS, d->in - i)};
  gemm.k = j->n;
  gemm.a = j->dy + (size_t)o * j->element;
  gemm.lda = d->out;
  gemm.b = j->x + (size_t)i * j->element;
  gemm.ldb = gemm.ldc = d->in;
  gemm.c = j->out + (size_t)(o * d->in + i) * j->element;
  cb_blas_gemm(&gemm);
}

cnnblas_status cnnblas_fc_backward_weights(const cnnblas_fc_desc *desc, int64_t n, const void *x, const void *dy,
                                           void *dw, void *db)
{
  cnnblas_status status = check(desc, n);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {{"dw", dw, desc->in * desc->out, element, false},
                       {"db", db, desc->out, element, true},
                       {"x", x, n * desc->in, element, false},
                       {"dy", dy, n * desc->out, element, false}};
  status = cb_check_arrays(arrays, 4, 2);
  if (status) return status;
  job j = make_job(desc, n);
  j.x = x;
  j.dy = dy;
  j.out = dw;
  j.blocks = cb_ceil_div(desc->in, INS);
  if (n == 0)
    memset(dw, 0, (size_t)(desc->in * desc->out) * element);
  else
    run(&j, cb_ceil_div(desc->out, WEIGHT_OUTS) * j.blocks, weight_tile);
  if (db) j.loops->column_sums(n, desc->out, dy, db);
  return CNNBLAS_OK;
}
