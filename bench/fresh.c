/* --fresh; see fresh.h. */
#define _GNU_SOURCE
#include "fresh.h"
#include "compare.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* True if argument is the option, "--json" or "--json=..."; then *takes_next says whether its value is the next one. */
static bool is_option(const char *argument, const char *option, bool *takes_next)
{
  size_t letters = strlen(option);
  *takes_next = argument[0] && strcmp(argument, option) == 0;
  return strncmp(argument, option, letters) == 0 && (!argument[letters] || argument[letters] == '=');
}

/* The arguments without --fresh, --json and --csv, then --json path. NULL if memory ran out. */
static char **child_arguments(int argc, char **argv, char *path)
{
  char **child = calloc((size_t)argc + 4, sizeof *child);
  int count = 0;
  static char json[] = "--json";
  for (int i = 0; child && i < argc; i++) {
    bool takes_next;
    if (i && strcmp(argv[i], "--fresh") == 0) continue;
    if (i && (is_option(argv[i], "--json", &takes_next) || is_option(argv[i], "--csv", &takes_next))) {
      i += takes_next;
      continue;
    }
    child[count++] = argv[i];
    if (i == 0) {
      child[count++] = json;
      child[count++] = path;
    }
  }
  return child;
}

extern char **environ;

/* Runs it with its table thrown away; its exit status, or -1. */
static int run_child(char **arguments)
{
  posix_spawn_file_actions_t actions;
  pid_t child;
  int status;
  if (posix_spawn_file_actions_init(&actions)) return -1;
  int error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  if (!error) error = posix_spawn(&child, "/proc/self/exe", &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error) {
    errno = error;
    return -1;
  }
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int bench_fresh_run(int argc, char **argv, const bench_results *results, const bench_context *context)
{
  const char *directory = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
  char first[256], second[256];
  snprintf(first, sizeof first, "%s/cnnblas-bench-XXXXXX", directory);
  snprintf(second, sizeof second, "%s/cnnblas-bench-XXXXXX", directory);
  int one = mkstemp(first), two = one < 0 ? -1 : mkstemp(second);
  if (one >= 0) close(one);
  if (two >= 0) close(two);
  int status = BENCH_NO_MEMORY;
  char **arguments = two < 0 ? NULL : child_arguments(argc, argv, second);
  if (arguments && bench_json_write(first, results, context)) {
    fflush(stdout);
    status = run_child(arguments);
    if (status == BENCH_OK || status == BENCH_CHECK_FAILED || status == BENCH_BAD_INPUT) {
      puts("\nthe same in a new process: old is the run above\n");
      int compared = bench_compare_files(first, second, -1, NULL);
      if (status == BENCH_OK) status = compared;
    }
  }
  if (status < 0 || !arguments) {
    fprintf(stderr, "cnnblas-bench: --fresh: %s: %s\n", directory, strerror(errno));
    status = BENCH_NO_MEMORY;
  }
  free(arguments);
  if (one >= 0) unlink(first);
  if (two >= 0) unlink(second);
  return status;
}
