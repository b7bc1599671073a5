/* The arithmetic of foreign load; see load.h. */
#include "load.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The states of a line of /proc/stat, in its order; guests are counted within user and nice. */
enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, STATES };

/* The numbers of one line; older systems end it early. */
static bench_cpu_line read_line(const char *numbers, double ticks_per_second)
{
  double state[STATES] = {0};
  bench_cpu_line line = {.present = true};
  for (int i = 0; i < STATES; i++) {
    char *end;
    unsigned long long ticks = strtoull(numbers, &end, 10);
    if (end == numbers) break;
    numbers = end;
    state[i] = (double)ticks / ticks_per_second;
    line.all += state[i];
    if (*numbers == '\n') break;
  }
  line.idle = state[IDLE] + state[IOWAIT];
  line.stolen = state[STEAL];
  return line;
}

bool bench_cpu_times_read(const char *text, double ticks_per_second, bench_cpu_times *times)
{
  memset(times, 0, sizeof *times);
  bool any = false;
  for (const char *line = text; strncmp(line, "cpu", 3) == 0; line++) {
    char *end;
    if (line[3] == ' ') {
      times->total = read_line(line + 4, ticks_per_second);
    } else {
      unsigned long core = strtoul(line + 3, &end, 10);
      if (end == line + 3) break;
      if (core < BENCH_MOST_CORES) {
        times->core[core] = read_line(end, ticks_per_second);
        any = true;
      }
    }
    line = strchr(line, '\n');
    if (!line) break;
  }
  return any && times->total.present;
}

static bench_cpu_line difference(const bench_cpu_line *begin, const bench_cpu_line *end)
{
  return (bench_cpu_line){.present = begin->present && end->present,
                          .all = end->all - begin->all,
                          .idle = end->idle - begin->idle,
                          .stolen = end->stolen - begin->stolen};
}

/* The sum over the allowed cores, and how many they are. The system's own total is rounded once, sums of lines once a
   core: *error, in ticks. */
static bench_cpu_line sum_allowed(const bench_load_moment *begin, const bench_load_moment *end, int *cores,
                                  double *error)
{
  bench_cpu_line sum = {.present = true};
  bool every = true;
  *cores = 0;
  for (int i = 0; i < BENCH_MOST_CORES; i++) {
    if (!end->times.core[i].present) continue;
    if (!end->allowed[i] || !begin->times.core[i].present) {
      every = false;
      continue;
    }
    bench_cpu_line core = difference(&begin->times.core[i], &end->times.core[i]);
    sum.all += core.all;
    sum.idle += core.idle;
    sum.stolen += core.stolen;
    ++*cores;
  }
  *error = every ? 2 : 1 + *cores;
  return every ? difference(&begin->times.total, &end->times.total) : sum;
}

bench_load_window bench_load_between(const bench_load_moment *begin, const bench_load_moment *end)
{
  bench_load_window window = {.seconds = end->at - begin->at};
  if (!(begin->tick > 0) || !(end->tick > 0) || !(window.seconds > 0)) return window;
  double ticks;
  bench_cpu_line sum = sum_allowed(begin, end, &window.cores, &ticks);
  window.error = ticks * end->tick;
  double possible = window.cores * window.seconds;
  /* Idle time is counted more finely than busy time, which some systems sample at each tick; what was neither idle nor
     this process's was another's. */
  window.foreign = fmax(0, possible - sum.idle - (end->cpu - begin->cpu));
  window.stolen = fmax(0, sum.stolen);
  window.known =
      window.cores > 0 && fabs(sum.all - possible) <= 0.2 * possible + (2 * window.cores + STATES) * end->tick;
  return window;
}

static bool surely_above(double seconds, const bench_load_window *window)
{
  return window->known && seconds - window->error > BENCH_LOAD_LIMIT * window->seconds;
}

static bool surely_below(double seconds, const bench_load_window *window)
{
  return window->known && seconds + window->error <= BENCH_LOAD_LIMIT * window->seconds;
}

/* Cores that others took from the row at most, by its own clocks alone. */
static double taken_at_most(const bench_load_clocks *row, int threads, int cores)
{
  double used = ceil(row->cpu / row->seconds - BENCH_LOAD_LIMIT); /* a peer's pool may be larger than was asked for */
  used = fmin(fmax(threads, used), cores);
  double taken = fmax(0, used - row->cpu / row->seconds);
  return isnan(row->waited) ? taken : fmin(taken, row->waited / row->seconds);
}

bench_load bench_load_judge(const bench_load_clocks *row, int threads, const bench_load_window *rounds,
                            const bench_load_window *wide)
{
  bench_load load = {BENCH_LOAD_UNKNOWN, NAN, NAN};
  if (!rounds->known || !wide->known || !(row->seconds > 0)) return load;
  load.verdict = BENCH_LOAD_UNCLEAR;
  const bench_load_window *finer = surely_below(0, rounds) ? rounds : wide; /* rounds, if they have ticks enough */
  double taken = taken_at_most(row, threads, rounds->cores);
  load.foreign = fmin(taken, finer->foreign / finer->seconds);
  load.stolen = finer->stolen / finer->seconds;
  bool others_ran = surely_above(rounds->foreign, rounds) || surely_above(wide->foreign, wide);
  bool host_ran = surely_above(rounds->stolen, rounds) || surely_above(wide->stolen, wide);
  if ((taken > BENCH_LOAD_LIMIT && others_ran) || host_ran) {
    load.verdict = BENCH_LOAD_BUSY;
    return load;
  }
  /* Rounds of ten ticks and more in which the counters show no more than their error are as quiet as the second around
     them. */
  bool others_slept =
      surely_below(rounds->foreign, rounds) ||
      (surely_below(wide->foreign, wide) && rounds->foreign <= rounds->error && rounds->seconds >= 5 * rounds->error);
  bool host_slept = rounds->stolen <= fmax(rounds->error, BENCH_LOAD_LIMIT * rounds->seconds);
  if ((taken <= BENCH_LOAD_LIMIT || others_slept) && host_slept) load.verdict = BENCH_LOAD_QUIET;
  return load;
}

const char *bench_load_name(bench_load_verdict verdict)
{
  static const char *const names[] = {"unknown", "unclear", "quiet", "busy"};
  return names[verdict];
}
