/* Counted work times what each count takes; see costs.h. */
#include "conv/costs.h"
#include "base/cpu.h"
#include "conv/costs_table.h"
#include "gemm/blas.h"
#include "gemm/blas_cores.h"
#include <math.h>
#include <string.h>

enum { TABLES = sizeof tables / sizeof *tables };

#define CB_NAME(NAME) #NAME,
static const char *const work_names[] = {CB_WORK_LIST(CB_NAME)};
#undef CB_NAME
enum { OWN, BLAS };
#define CB_ROW(NAME, WHOSE) {#NAME, (WHOSE) == BLAS},
static const struct {
  const char *name;
  bool uses_blas;
} cost_rows[] = {CB_COST_LIST(CB_ROW)};
#undef CB_ROW

const char *cb_work_name(cb_work kind)
{
  return work_names[kind];
}

const char *cb_cost_row_name(cb_cost_row row)
{
  return cost_rows[row].name;
}

/* The index of a level's table, or -1 if it has none. */
static int place_of(int level)
{
  for (int i = 0; i < TABLES && level >= 0 && level < CB_ISA_COUNT; i++)
    if (strcmp(tables[i].level, cb_isa_name((cb_isa)level)) == 0) return i;
  return -1;
}

/* The index of the level's own table, else of the nearest level's; of two levels equally near, the lower. */
static int nearest(int level)
{
  for (int away = 0; away < CB_ISA_COUNT; away++) {
    int below = place_of(level - away), above = place_of(level + away);
    if (below >= 0 || above >= 0) return below >= 0 ? below : above;
  }
  return 0;
}

/* A factor on the estimates of OpenBLAS's products, by which they must gain to be chosen over our own: their time on
   the machine at hand is known least. The choices of all timing files together are equally good with 1.05 to 1.3. */
static const double BLAS_DOUBT = 1.1;

/* How many times as long a multiply-add takes as where the table was timed: OpenBLAS may run its kernels for another
   core. */
static double blas_share(int table)
{
  return (double)cb_blas_core_speed(tables[table].openblas_core) / cb_blas_core_speed(cb_blas_core());
}

double cb_cost(cb_cost_row row, const cb_problem *problem, const double work[CB_WORK_KINDS])
{
  const int table = nearest((int)cb_cpu_get()->level);
  const double *each = tables[table].nanoseconds[row][problem->geo.dtype][problem->direction];
  double sum = cost_rows[row].uses_blas ? work[CB_WORK_MAC] * each[CB_WORK_MAC] * (blas_share(table) - 1) : 0;
  bool known = false;
  for (int i = 0; i < CB_WORK_KINDS; i++) {
    sum += work[i] * each[i];
    known |= each[i] > 0;
  }
  if (problem->count) {
    problem->count->row = row;
    for (int i = 0; i < CB_WORK_KINDS; i++) problem->count->work[i] = work[i];
  }
  return known ? 1e-9 * sum * (cost_rows[row].uses_blas ? BLAS_DOUBT : 1) : INFINITY;
}
