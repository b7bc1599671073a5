/* Marks; see marks.h. */
#include "marks.h"
#include <stdio.h>

const char *bench_mark(const bench_load *load, bool peaks_moved)
{
  if (load->verdict == BENCH_LOAD_BUSY) return peaks_moved ? "bp" : "b";
  if (load->verdict == BENCH_LOAD_UNCLEAR) return peaks_moved ? "?p" : "?";
  return peaks_moved ? "p" : "";
}

void bench_mark_count(bench_mark_counts *counts, const bench_load *load, bool peaks_moved)
{
  counts->rows++;
  counts->busy += load->verdict == BENCH_LOAD_BUSY;
  counts->unclear += load->verdict == BENCH_LOAD_UNCLEAR;
  counts->unknown += load->verdict == BENCH_LOAD_UNKNOWN;
  counts->peaks += peaks_moved;
}

void bench_mark_footnote(const bench_mark_counts *c)
{
  if (c->busy || c->unclear || c->unknown || c->peaks) putchar('\n');
  if (c->busy)
    printf("b marks %zu of %zu rows: others took over %.0f%% of a core that the row used, or the host did.\n", c->busy,
           c->rows, 100 * BENCH_LOAD_LIMIT);
  if (c->unclear)
    printf("? marks %zu of %zu rows: too short to tell whether others took time from them.\n", c->unclear, c->rows);
  if (c->unknown)
    printf("Load unknown for %zu of %zu rows: this system does not tell what other processes do.\n", c->unknown,
           c->rows);
  if (c->peaks)
    printf("p marks %zu of %zu rows: the FMA peak before and after differs by over 10%%, or the row exceeds it.\n",
           c->peaks, c->rows);
  if (c->busy || c->peaks)
    puts("Marked figures are not the machine's: --wait-quiet SECONDS waits for a quiet machine.");
}
