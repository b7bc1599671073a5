/* The JSON of cnnblas-bench compare; see compare_pairs.h. */
#include "compare_pairs.h"
#include "report_parts.h"
#include "reports/json_numbers.h"

static json_t *rows_json(const bench_pairs *joined)
{
  json_t *rows = json_array();
  for (size_t i = 0; i < joined->count; i++) {
    const bench_pair *p = &joined->items[i];
    json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:o, s:b, s:b}", "name", p->name, "direction",
                                          p->direction, "algorithm", p->algorithm, "old_time",
                                          io_json_number(1e6 * p->before), "new_time", io_json_number(1e6 * p->after),
                                          "time_unit", "us", "ratio", io_json_number(p->ratio), "close", (int)p->close,
                                          "disturbed", (int)p->disturbed));
  }
  return rows;
}

static json_t *means_json(const bench_pairs *joined)
{
  json_t *means = json_array();
  for (size_t i = 0; i < joined->count; i++) {
    bench_pairs_group group;
    if (!bench_pairs_mean(joined, i, &group)) continue;
    json_array_append_new(means,
                          json_pack("{s:s, s:s, s:o, s:I, s:I}", "direction", group.direction, "algorithm",
                                    group.algorithm, "ratio", group.count ? io_json_number(group.mean) : json_null(),
                                    "rows", (json_int_t)group.count, "disturbed", (json_int_t)group.disturbed));
  }
  return means;
}

static json_t *names_json(const json_t *const *rows, size_t count)
{
  json_t *names = json_array();
  for (size_t i = 0; i < count; i++) json_array_append(names, json_object_get(rows[i], "name"));
  return names;
}

bool bench_compare_write(const char *path, const bench_pairs *joined, json_t *old_root, json_t *new_root)
{
  json_t *context =
      json_pack("{s:O?, s:O?, s:o, s:o, s:o}", "old", json_object_get(old_root, "context"), "new",
                json_object_get(new_root, "context"), "only_old", names_json(joined->only_old, joined->only_old_count),
                "only_new", names_json(joined->only_new, joined->only_new_count), "means", means_json(joined));
  return bench_report_dump(path, context, rows_json(joined));
}
