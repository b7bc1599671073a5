/*
 * Parts of the JSON report that more than one kind of run writes.
 */
#ifndef BENCH_REPORT_PARTS_H
#define BENCH_REPORT_PARTS_H

#include "report.h"
#include <jansson.h>

/* The report's "context". The caller owns it. */
json_t *bench_context_json(const bench_context *context);

/* Times of a row: real_time (the minimum), cpu_time, the quartiles, iterations; in microseconds. */
void bench_timing_json(json_t *row, const bench_timing *timing);

/* What others took from a row: load, foreign_load, stolen_load. */
void bench_load_json(json_t *row, const bench_load *load);

/* Writes the report and releases both parts. "-" is stdout. False if it could not be written: errno tells. */
bool bench_report_dump(const char *path, json_t *context, json_t *rows);

#endif
