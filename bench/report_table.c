/* The table for people; see report.h. */
#include "marks.h"
#include "report.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME = 21 }; /* characters of an algorithm's column: the table has 100 */

static void print_debug_warning(const bench_context *context)
{
  if (context->debug_build) printf("*** DEBUG BUILD (%s): these figures mean nothing ***\n", context->build_type);
}

/* "64K", "1.9M", "0": at most 5 characters. */
static const char *short_bytes(size_t bytes, char text[16])
{
  static const char units[] = "BKMGT";
  double value = (double)bytes;
  int unit = 0;
  while (value >= 999.5 && unit < 4) {
    value /= 1024;
    unit++;
  }
  if (unit == 0)
    snprintf(text, 16, "%.0f", value);
  else
    snprintf(text, 16, value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
  return text;
}

static void print_columns(void)
{
  printf("%-16s %-*s%2s %8s %7s %4s %5s %5s %7s %5s %5s %s\n", "direction", NAME, "algorithm", "", "ms", "GFLOP/s",
         "FMA%", "GEMM%", "roof%", "xnaive", "work", "mem", "  err");
}

/* What the number of threads is to be seen against. */
static void print_cores(const cnnblas_system_info *s)
{
  char quota[32] = "no CPU quota";
  if (s->quota) snprintf(quota, sizeof quota, "a CPU quota of %lld", (long long)s->quota);
  printf("%d cores by affinity, %s, %d threads by default\n", (int)s->cores, quota, (int)s->threads);
}

void bench_table_head(const bench_context *c)
{
  const cnnblas_system_info *s = &c->system;
  printf("cnnblas-bench %s: %s, %d threads, %s, %s, accuracy %s\n", cnnblas_version_string(),
         s->cpu_model[0] ? s->cpu_model : "unknown CPU", c->threads, s->isa, bench_dtype_name(c->dtype),
         cnnblas_accuracy_policy_name(c->accuracy));
  printf("OpenBLAS %s %s (%s), %s, %s, %s build; data seeds 1 to 5\n", s->openblas_version, s->openblas_core,
         s->openblas_flavour, s->openmp_runtime, c->compiler, c->build_type);
  print_cores(s);
  printf("peaks: FMA %.0f GFLOP/s, GEMM %.0f GFLOP/s, memory %.1f GB/s\n", c->peaks.fma_gflops, c->peaks.gemm_gflops,
         c->peaks.bandwidth_gbytes);
  print_debug_warning(c);
  putchar('\n');
  print_columns();
}

void bench_table_problem(const bench_result *first)
{
  printf("%s:%s", first->problem.set, first->problem.name);
  if (first->problem.repeats > 1) printf(" *%lld", (long long)first->problem.repeats);
  printf("  %s  roof %.0f\n", first->descriptor, first->roof_gflops);
}

/* A name of at most `room` characters: one that is longer begins at its colon, ":pixels", and is cut where even that is too long. */
static const char *short_name(const char *name, size_t room)
{
  const char *colon = strchr(name, ':');
  return strlen(name) > room && colon ? colon : name;
}

/* "auto: im2col", "auto: :pixels", "onednn_best ~": what ran, cut to the column; the mark stays. */
static void label(const bench_result *row, char text[NAME + 1])
{
  const char *mark = row->close_to_ours ? " ~" : "";
  const int room = NAME - (*mark ? (int)strlen(mark) : 1);
  const size_t length = strlen(row->algorithm), chosen = strlen(row->chosen);
  char name[128];
  if (row->kind == BENCH_OURS && chosen && strncmp(row->chosen, row->algorithm, chosen) != 0)
    snprintf(name, sizeof name, "%s: %s", row->algorithm,
             short_name(row->chosen, length + 2 < (size_t)room ? (size_t)room - length - 2 : 0));
  else
    snprintf(name, sizeof name, "%s", short_name(row->algorithm, (size_t)room));
  snprintf(text, NAME + 1, "%.*s%s", room, name, mark);
}

/* Of a peak, 0 if it was not measured. It ends at 9999, where columns end: a busy machine can make peaks that small. */
static double percent(double gflops, double peak)
{
  return peak > 0 ? fmin(100 * gflops / peak, 9999) : 0;
}

void bench_table_row(const bench_result *row, bool first_of_direction)
{
  char name[NAME + 1], work[16], memory[16];
  label(row, name);
  printf("%-16s %-*s%-2s %8.*f %7.1f %4.0f %5.0f %5.0f ",
         first_of_direction ? cnnblas_conv_direction_name(row->direction) : "", NAME, name,
         bench_mark(&row->load, row->peaks_moved), row->timing.minimum < 0.01 ? 4 : 2, 1e3 * row->timing.minimum,
         row->gflops, percent(row->gflops, row->peaks.fma_gflops), percent(row->gflops, row->peaks.gemm_gflops),
         percent(row->gflops, row->roof_gflops));
  if (row->speedup_over_naive > 0)
    printf("%7.1f", row->speedup_over_naive);
  else
    printf("%7s", "-");
  printf(" %5s %5s ", short_bytes(row->workspace_bytes, work), short_bytes(row->memory_bytes, memory));
  if (row->verdict.correct)
    printf("%5.0e%s\n", row->verdict.max_error, row->verdict.norm_wise ? "N" : "");
  else
    puts("WRONG");
}

typedef struct mean {
  const bench_result *first; /* names set, direction and algorithm */
  double log_gflops, log_naive, log_versus, log_fma, log_gemm;
  double flops, seconds; /* weighted by repeats */
  size_t count, naive_count, versus_count, ours_faster, close;
} mean;

static void add_to_mean(mean *m, const bench_result *r)
{
  if (!r->timing.calls) return;
  m->count++;
  m->log_gflops += log(r->gflops);
  m->log_fma += log(r->gflops / r->peaks.fma_gflops);
  if (r->peaks.gemm_gflops > 0) m->log_gemm += log(r->gflops / r->peaks.gemm_gflops);
  m->flops += (double)r->problem.repeats * r->flops;
  m->seconds += (double)r->problem.repeats * r->timing.minimum;
  if (r->speedup_over_naive > 0) {
    m->log_naive += log(r->speedup_over_naive);
    m->naive_count++;
  }
  if (r->versus_ours > 0) {
    m->log_versus += log(r->versus_ours);
    m->versus_count++;
    m->ours_faster += r->versus_ours > 1;
    m->close += r->close_to_ours;
  }
}

static bool same_mean(const bench_result *a, const bench_result *b)
{
  return a->direction == b->direction && a->kind == b->kind && strcmp(a->problem.set, b->problem.set) == 0 &&
         strcmp(a->algorithm, b->algorithm) == 0;
}

static void print_mean(const mean *m)
{
  double count = (double)m->count;
  printf("%-16s %-*s %8.1f %5.0f %6.0f", cnnblas_conv_direction_name(m->first->direction), NAME,
         short_name(m->first->algorithm, NAME), exp(m->log_gflops / count), 100 * exp(m->log_fma / count),
         100 * exp(m->log_gemm / count));
  if (m->naive_count)
    printf(" %8.1f", exp(m->log_naive / (double)m->naive_count));
  else
    printf(" %8s", "-");
  printf(" %9.1f", m->flops / m->seconds * 1e-9);
  if (m->versus_count)
    printf("  x%.2f (%zu of %zu, %zu~)", exp(m->log_versus / (double)m->versus_count), m->ours_faster, m->versus_count,
           m->close);
  putchar('\n');
}

/* The first of our algorithms in the run: what the peers are compared with. */
static const char *our_name(const bench_results *results)
{
  for (size_t i = 0; i < results->count; i++)
    if (results->items[i].kind == BENCH_OURS) return results->items[i].algorithm;
  return "ours";
}

void bench_table_means(const bench_results *results, const bench_context *context)
{
  const char *set = "";
  bench_mark_counts marks = {0};
  for (size_t i = 0; i < results->count; i++)
    bench_mark_count(&marks, &results->items[i].load, results->items[i].peaks_moved);
  bench_mark_footnote(&marks);
  printf("\n~ marks a pair that the noise does not let us tell apart: the quartiles of their times overlap.\n"
         "Below, geometric means over the layers. weighted: all FLOPs over all time, each layer as often as\n"
         "the network has it. %s is: so many times as fast (on how many layers, how many marked ~).\n",
         our_name(results));
  for (size_t i = 0; i < results->count; i++) {
    const bench_result *r = &results->items[i];
    mean m = {.first = r};
    bool seen = false;
    for (size_t j = 0; j < i && !seen; j++) seen = same_mean(&results->items[j], r);
    if (seen) continue;
    for (size_t j = i; j < results->count; j++)
      if (same_mean(r, &results->items[j])) add_to_mean(&m, &results->items[j]);
    if (strcmp(set, r->problem.set) != 0) {
      set = r->problem.set;
      printf("\n%s\n%-16s %-*s %8s %5s %6s %8s %9s  %s is\n", set, "direction", NAME, "algorithm", "GFLOP/s", "FMA%",
             "GEMM%", "x naive", "weighted", our_name(results));
    }
    if (m.count) print_mean(&m);
  }
  print_debug_warning(context);
}
