/* Clocks and counters from Linux's /proc; see load_monitor.h. */
#define _GNU_SOURCE
#include "load_monitor.h"
#include "clock.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Ticks are too coarse for less than this. */
static const double wide_enough = 1;

struct bench_load_monitor {
  bench_load_moment begin, end;
  bench_load_moment old, young; /* where wide windows begin: at least wide_enough ago as soon as so much has passed */
  bench_load_window rounds, wide;
};

/* The file's text, cut at size - 1; false if it cannot be read. */
static bool read_text(const char *path, char *text, size_t size)
{
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  size_t length = 0;
  for (ssize_t got = 1; got > 0 && length + 1 < size; length += got > 0 ? (size_t)got : 0)
    got = read(file, text + length, size - 1 - length);
  text[length] = 0;
  close(file);
  return length > 0;
}

/* Calls each with the number of every thread of the process; false if the system does not list them. */
static bool for_each_thread(void (*each)(long thread, void *context), void *context)
{
  DIR *threads = opendir("/proc/self/task");
  if (!threads) return false;
  for (const struct dirent *entry; (entry = readdir(threads));) {
    long thread = strtol(entry->d_name, NULL, 10);
    if (thread > 0) each(thread, context);
  }
  closedir(threads);
  return true;
}

typedef struct waiting {
  double ran, waited;
} waiting;

static void add_waiting(long thread, void *context)
{
  waiting *sum = context;
  char path[64], text[128];
  unsigned long long ran, waited;
  snprintf(path, sizeof path, "/proc/self/task/%ld/schedstat", thread);
  if (!read_text(path, text, sizeof text) || sscanf(text, "%llu %llu", &ran, &waited) != 2) return;
  sum->ran += 1e-9 * (double)ran;
  sum->waited += 1e-9 * (double)waited;
}

double bench_load_waited(void)
{
  waiting sum = {0, 0};
  return for_each_thread(add_waiting, &sum) && sum.ran > 0 ? sum.waited : NAN; /* a kernel may count nothing at all */
}

static void add_allowed(long thread, void *context)
{
  bench_load_moment *moment = context;
  cpu_set_t set;
  if (sched_getaffinity((pid_t)thread, sizeof set, &set) != 0) return;
  for (size_t core = 0; core < BENCH_MOST_CORES && core < CPU_SETSIZE; core++)
    if (CPU_ISSET(core, &set)) moment->allowed[core] = true;
}

static void look(bench_load_moment *moment)
{
  static char text[1 << 17];
  struct timespec cpu;
  memset(moment, 0, sizeof *moment);
  double ticks = (double)sysconf(_SC_CLK_TCK);
  if (ticks > 0 && read_text("/proc/stat", text, sizeof text) && bench_cpu_times_read(text, ticks, &moment->times) &&
      moment->times.total.all > 0 && for_each_thread(add_allowed, moment)) /* a sandbox may show zeros */
    moment->tick = 1 / ticks;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  moment->cpu = (double)cpu.tv_sec + 1e-9 * (double)cpu.tv_nsec;
  moment->at = bench_now();
}

bench_load_monitor *bench_load_monitor_create(void)
{
  bench_load_monitor *monitor = calloc(1, sizeof *monitor);
  if (!monitor) return NULL;
  look(&monitor->old);
  monitor->young = monitor->old;
  return monitor;
}

void bench_load_monitor_destroy(bench_load_monitor *monitor)
{
  free(monitor);
}

bool bench_load_monitor_works(const bench_load_monitor *monitor)
{
  return monitor->old.tick > 0;
}

void bench_load_begin(bench_load_monitor *monitor)
{
  if (!monitor) return;
  look(&monitor->begin);
  if (monitor->begin.at - monitor->young.at < wide_enough) return;
  monitor->old = monitor->young;
  monitor->young = monitor->begin;
}

void bench_load_end(bench_load_monitor *monitor)
{
  if (!monitor) return;
  look(&monitor->end);
  monitor->rounds = bench_load_between(&monitor->begin, &monitor->end);
  if (monitor->rounds.seconds >= wide_enough)
    monitor->wide = monitor->rounds;
  else
    monitor->wide = bench_load_between(
        monitor->end.at - monitor->young.at < wide_enough ? &monitor->old : &monitor->young, &monitor->end);
}

bench_load bench_load_of(const bench_load_monitor *monitor, const bench_load_clocks *row, int threads)
{
  if (!monitor) return (bench_load){BENCH_LOAD_UNKNOWN, NAN, NAN};
  return bench_load_judge(row, threads, &monitor->rounds, &monitor->wide);
}

double bench_load_sleep(double seconds)
{
  bench_load_moment *moments = calloc(2, sizeof *moments);
  double cores = -1;
  if (moments) {
    struct timespec pause = {(time_t)seconds, (long)(1e9 * fmod(seconds, 1))};
    look(&moments[0]);
    while (nanosleep(&pause, &pause) != 0 && errno == EINTR) continue;
    look(&moments[1]);
    bench_load_window window = bench_load_between(&moments[0], &moments[1]);
    if (window.known) cores = fmax(0, window.foreign - window.error) / window.seconds;
  }
  free(moments);
  return cores;
}
