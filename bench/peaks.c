/* The machine's peaks; see peaks.h. */
#include "peaks.h"
#include "clock.h"
#include "openblas.h"
#include "peaks_fma.h"
#include "process_memory.h"
#include "random_data.h"
#include "timing.h"
#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <string.h>

/* Time for a peak below which a run only tries things out: smaller matrices and arrays then, for quick but rough peaks. */
static const double trial = 0.1;

static double measure_fma(bench_fma fma, int threads, double time_each)
{
  enum { BURSTS = 8 };          /* at least: the first wakes the threads */
  int64_t iterations = 1 << 16; /* about 0.1 ms: on a busy machine longer ones are never undisturbed on every core */
  int bursts = 0;
  double best = INFINITY, sink = 0;
  double begin = bench_now();
  do {
    double start = bench_now();
#pragma omp parallel num_threads(threads) reduction(+ : sink)
    sink += fma.run(iterations);
    double seconds = bench_now() - start;
    if (seconds < best) best = seconds;
  } while (++bursts < BURSTS || bench_now() - begin < time_each);
  volatile double keep = sink; /* the chains must not be optimised away */
  (void)keep;
  return fma.flops * (double)iterations * threads / best * 1e-9;
}

/* On OpenBLAS's own threads: its serial flavour has one. */
static double measure_gemm(cnnblas_dtype dtype, double time_each)
{
  const int64_t size = time_each < trial ? 512 : 2048;
  size_t element = dtype == CNNBLAS_F64 ? 8 : 4, bytes = (size_t)(size * size) * element;
  char *arrays = bench_pages(3 * bytes);
  if (!arrays) return 0;
  bench_random_fill(BENCH_SEED_GEMM, arrays, 3 * size * size, element);
  bench_gemm_args gemm = {
      .dtype = dtype, .m = size, .n = size, .k = size, .a = arrays, .b = arrays + bytes, .c = arrays + 2 * bytes};
  double best = INFINITY;
  int calls = 0;
  for (double begin = bench_now(); bench_now() - begin < time_each || calls < 4; calls++) {
    double start = bench_now();
    bench_gemm(&gemm);
    best = fmin(best, bench_now() - start);
  }
  bench_pages_free(arrays, 3 * bytes);
  return 2.0 * (double)size * (double)size * (double)size / best * 1e-9;
}

/* STREAM's triad a = b + 3 c, three arrays counted, and a plain read of b; each array larger than any cache, but for a trial. */
static double measure_bandwidth(int threads, double time_each)
{
  const int64_t count = time_each < trial ? 1 << 20 : 16 << 20; /* 8 or 128 MiB an array */
  const size_t bytes = (size_t)count * sizeof(double);
  double *a = bench_pages(3 * bytes);
  if (!a) return 0;
  double *b = a + count, *c = b + count, best = 0, sink = 0;
#pragma omp parallel for num_threads(threads)
  for (int64_t i = 0; i < count; i++) a[i] = b[i] = c[i] = 1;
  double begin = bench_now();
  do {
    double start = bench_now();
#pragma omp parallel for num_threads(threads)
    for (int64_t i = 0; i < count; i++) a[i] = b[i] + 3 * c[i];
    double middle = bench_now();
#pragma omp parallel for num_threads(threads) reduction(+ : sink)
    for (int64_t i = 0; i < count; i += 8) { /* eight sums: a single chain would be bound by the adder, not by memory */
      double s = b[i] + b[i + 1], t = b[i + 2] + b[i + 3], u = b[i + 4] + b[i + 5], v = b[i + 6] + b[i + 7];
      sink += (s + t) + (u + v);
    }
    double end = bench_now();
    best = fmax(best, 3 * (double)bytes / (middle - start));
    best = fmax(best, (double)bytes / (end - middle));
  } while (bench_now() - begin < time_each);
  volatile double keep = sink;
  (void)keep;
  bench_pages_free(a, 3 * bytes);
  return best * 1e-9;
}

void bench_peaks_measure(cnnblas_dtype dtype, int threads, double time_each, bench_peaks *peaks)
{
  bench_fma fma = bench_fma_widest(dtype);
  peaks->fma_isa = fma.isa;
  peaks->bandwidth_gbytes = measure_bandwidth(threads, time_each);
  peaks->fma_gflops = measure_fma(fma, threads, time_each);
  peaks->gemm_gflops = measure_gemm(dtype, time_each);
}

double bench_peaks_fma(cnnblas_dtype dtype, int threads, double seconds)
{
  return measure_fma(bench_fma_widest(dtype), threads, seconds);
}

double bench_roof(const bench_peaks *peaks, double flops, double bytes)
{
  double memory = peaks->bandwidth_gbytes * flops / bytes;
  return memory > 0 && memory < peaks->fma_gflops ? memory : peaks->fma_gflops;
}
