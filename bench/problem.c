/* The list of problems; see problem.h. */
#include "problem.h"
#include <stdlib.h>

bool bench_problem_list_add(bench_problem_list *list, const bench_problem *problem)
{
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? 2 * list->capacity : 64;
    bench_problem *items = realloc(list->items, capacity * sizeof *items);
    if (!items) return false;
    list->items = items;
    list->capacity = capacity;
  }
  list->items[list->count++] = *problem;
  return true;
}

void bench_problem_list_free(bench_problem_list *list)
{
  free(list->items);
  *list = (bench_problem_list){0};
}
