/* `cnnblas info`: the machine and the libraries, and where their threads would fight. */
#include "command.h"
#include <cnnblas/system.h>
#include <cnnblas/version.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "The machine and the libraries as cnnblas sees them, with a warning where threads would fight.\n"
    "\n"
    "usage: cnnblas info [OPTION]...\n"
    "\n"
    "  --json FILE  one JSON object; - for standard output, which then holds nothing else\n"
    "  -h, --help  -V, --version\n"
    "\n"
    "example: OMP_NUM_THREADS=8 cnnblas info\n"
    "exit status: 0 fine, also with warnings, 2 usage, 4 out of memory or disk\n";

enum { MOST_WARNINGS = 6 };

typedef struct {
  char text[MOST_WARNINGS][400];
  int count;
} warnings;

/* The first number of OMP_NUM_THREADS, 0 where there is none. */
static long threads_asked(void)
{
  const char *text = getenv("OMP_NUM_THREADS");
  return text ? strtol(text, NULL, 10) : 0;
}

static long processors_online(void)
{
  return sysconf(_SC_NPROCESSORS_ONLN);
}

static void find_warnings(const cnnblas_system_info *s, warnings *w)
{
  if (!strcmp(s->openblas_flavour, "pthread") && s->openblas_threads > 1 && s->threads > 1)
    snprintf(
        w->text[w->count++], sizeof w->text[0],
        "OpenBLAS is the pthread flavour with %d threads: called by a program inside its own OpenMP regions, each of "
        "its threads would start that many. cnnblas holds it at one during its calls; for calls of your own set "
        "OPENBLAS_NUM_THREADS=1",
        (int)s->openblas_threads);
  long asked = threads_asked();
  if (asked > s->cores)
    snprintf(w->text[w->count++], sizeof w->text[0],
             "OMP_NUM_THREADS asks for %ld threads, but this process may run on %d processors: OpenMP regions of other "
             "code would have threads take turns. cnnblas uses %d",
             asked, (int)s->cores, (int)s->threads);
  long online = processors_online();
  if (online > s->cores)
    snprintf(w->text[w->count++], sizeof w->text[0],
             "this process may run on %d of the machine's %ld processors (its affinity): libraries that count the "
             "machine's would start too many threads",
             (int)s->cores, online);
  if (s->quota && s->quota < s->cores)
    snprintf(w->text[w->count++], sizeof w->text[0],
             "the CPU quota of this process's cgroups is worth %lld of its %d processors: more threads than that take "
             "turns, and are all stopped together once the quota is used up. cnnblas uses %d",
             (long long)s->quota, (int)s->cores, (int)s->threads);
  if (!strcmp(s->openblas_flavour, "serial") && s->threads > 1)
    snprintf(
        w->text[w->count++], sizeof w->text[0],
        "OpenBLAS is the serial flavour, which has no locks: only one of cnnblas's products runs at a time, and your "
        "own BLAS calls must not run beside them");
  if (s->openblas_speed < 90)
    snprintf(w->text[w->count++], sizeof w->text[0],
             "OpenBLAS runs its kernels for %s, which do products at about %lld%% of the speed of those that it has "
             "for this "
             "processor's instructions (%s): it does not know the processor, or was told so. OPENBLAS_CORETYPE=%s "
             "chooses others",
             s->openblas_core, (long long)s->openblas_speed, s->isa_detected,
             strcmp(s->isa_detected, "avx512") == 0 ? "SkylakeX" : "Haswell");
}

static void print_text(const cnnblas_system_info *s, const warnings *w)
{
  printf("cnnblas   %s, instruction set %s (detected: %s)\n", cnnblas_version_string(), s->isa, s->isa_detected);
  char quota[32] = "none";
  if (s->quota) snprintf(quota, sizeof quota, "%lld", (long long)s->quota);
  printf("processor %s\n", s->cpu_model[0] ? s->cpu_model : "unknown");
  printf("cores     %ld online, %d by this process's affinity; CPU quota of its cgroups: %s\n", processors_online(),
         (int)s->cores, quota);
  printf("caches    L1d %zu KiB, L2 %zu KiB a core, L3 %zu KiB\n", s->l1d_bytes >> 10, s->l2_bytes >> 10,
         s->l3_bytes >> 10);
  printf("threads   %d unless told otherwise, by %s (OpenMP %d)\n", (int)s->threads, s->openmp_runtime,
         (int)s->openmp_version);
  printf("OpenBLAS  %s, %s flavour, kernels for %s, %d threads for other callers\n", s->openblas_version,
         s->openblas_flavour, s->openblas_core, (int)s->openblas_threads);
  for (int i = 0; i < w->count; i++) printf("warning: %s\n", w->text[i]);
}

static int write_json(const char *path, const cnnblas_system_info *s, const warnings *w)
{
  json_t *texts = json_array();
  for (int i = 0; i < w->count; i++) json_array_append_new(texts, json_string(w->text[i]));
  return command_write_json(
      path, json_pack("{s:s, s:s, s:s, s:s, s:I, s:i, s:o, s:i, s:s, s:i, s:s, s:s, s:s, s:I, s:i, s:I, s:I, s:I, s:o}",
                      "version", cnnblas_version_string(), "cpu_model", s->cpu_model, "isa", s->isa, "isa_detected",
                      s->isa_detected, "online", (json_int_t)processors_online(), "cores", (int)s->cores, "quota",
                      s->quota ? json_integer((json_int_t)s->quota) : json_null(), "threads", (int)s->threads,
                      "openmp_runtime", s->openmp_runtime, "openmp_version", (int)s->openmp_version, "openblas_version",
                      s->openblas_version, "openblas_flavour", s->openblas_flavour, "openblas_core", s->openblas_core,
                      "openblas_speed", (json_int_t)s->openblas_speed, "openblas_threads", (int)s->openblas_threads,
                      "l1d_bytes", (json_int_t)s->l1d_bytes, "l2_bytes", (json_int_t)s->l2_bytes, "l3_bytes",
                      (json_int_t)s->l3_bytes, "warnings", texts));
}

int command_info(int argc, char **argv)
{
  enum { JSON = 256 };
  static const struct option long_options[] = {{"json", required_argument, NULL, JSON},
                                               {"help", no_argument, NULL, COMMAND_HELP},
                                               {"version", no_argument, NULL, COMMAND_VERSION},
                                               {0}};
  const char *json = NULL;
  bool done = false;
  int status = COMMAND_FINE;
  for (int option;
       !status && !done && (option = getopt_long(argc, argv, COMMAND_SHORT_OPTIONS, long_options, NULL)) != -1;) {
    if (option == JSON)
      json = optarg;
    else
      status = command_other(option, help, &done);
  }
  if (status || done) return status;
  if ((status = command_no_operands(argc, argv))) return status;
  if ((status = command_check_json(json))) return status;
  cnnblas_system_info info;
  warnings found = {0};
  cnnblas_system_get_info(&info);
  find_warnings(&info, &found);
  if (!command_only_json(json)) print_text(&info, &found);
  return json ? write_json(json, &info, &found) : COMMAND_FINE;
}
