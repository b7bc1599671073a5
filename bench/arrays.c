/* A problem's arrays and tasks; see arrays.h. */
#include "arrays.h"
#include "process_memory.h"
#include "random_data.h"

void bench_arrays_free(bench_arrays *a)
{
  bench_pages_free(a->x, a->x_bytes);
  bench_pages_free(a->w, a->w_bytes);
  bench_pages_free(a->dy, a->dy_bytes);
  bench_pages_free(a->out, a->out_bytes);
}

bool bench_arrays_make(const cnnblas_conv_desc *desc, bench_arrays *a)
{
  size_t element = bench_element_bytes(desc->dtype);
  cnnblas_conv_shape shape;
  cnnblas_conv_get_shape(desc, &shape);
  *a = (bench_arrays){.x_bytes = (size_t)shape.x_elements * element,
                      .w_bytes = (size_t)shape.w_elements * element,
                      .dy_bytes = (size_t)shape.y_elements * element};
  a->out_bytes = a->x_bytes > a->dy_bytes ? a->x_bytes : a->dy_bytes;
  if (a->w_bytes > a->out_bytes) a->out_bytes = a->w_bytes;
  a->x = bench_pages(a->x_bytes);
  if (a->x) bench_random_fill(BENCH_SEED_X, a->x, shape.x_elements, element);
  a->w = bench_pages(a->w_bytes);
  if (a->w) bench_random_fill(BENCH_SEED_W, a->w, shape.w_elements, element);
  a->dy = bench_pages(a->dy_bytes);
  if (a->dy) bench_random_fill(BENCH_SEED_DY, a->dy, shape.y_elements, element);
  a->out = bench_pages(a->out_bytes);
  if (a->x && a->w && a->dy && a->out) return true;
  bench_arrays_free(a);
  return false;
}

bench_task bench_task_make(const cnnblas_conv_desc *desc, cnnblas_conv_direction direction, int threads,
                           const bench_arrays *a)
{
  bench_task task = {
      .desc = *desc, .direction = direction, .threads = threads, .element = bench_element_bytes(desc->dtype)};
  cnnblas_conv_get_shape(desc, &task.shape);
  bench_geometry_make(desc, &task.geometry);
  task.x = a->x;
  task.w = a->w;
  task.dy = a->dy;
  task.out = a->out;
  return task;
}
