/* The geometric means of joined rows; see compare_pairs.h. */
#include "compare_pairs.h"
#include <math.h>
#include <string.h>

static bool same_group(const bench_pair *a, const bench_pair *b)
{
  return strcmp(a->direction, b->direction) == 0 && strcmp(a->algorithm, b->algorithm) == 0;
}

bool bench_pairs_mean(const bench_pairs *joined, size_t row, bench_pairs_group *group)
{
  double sum = 0;
  *group = (bench_pairs_group){.direction = joined->items[row].direction, .algorithm = joined->items[row].algorithm};
  for (size_t j = 0; j < row; j++)
    if (same_group(&joined->items[j], &joined->items[row])) return false;
  for (size_t j = row; j < joined->count; j++) {
    if (!same_group(&joined->items[row], &joined->items[j])) continue;
    group->disturbed += joined->items[j].disturbed;
    if (joined->items[j].disturbed) continue;
    sum += log(joined->items[j].ratio);
    group->count++;
  }
  group->mean = exp(sum / (double)group->count);
  return true;
}
