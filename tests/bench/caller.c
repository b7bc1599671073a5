/* The program in a directory of the test's own; see caller.h. */
#define _GNU_SOURCE
#include "caller.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *program;
char caller_directory[] = "/tmp/cnnblas-bench-test-XXXXXX";
char caller_output[65536]; /* of the last call, stdout and stderr */

/* Runs the program in the test's own directory; its exit status. */
int caller_run(const char *arguments)
{
  char command[1024];
  snprintf(command, sizeof command, "cd %s && %s %s 2>&1", caller_directory, program, arguments);
  harness_doing("%s", arguments);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  size_t length = fread(caller_output, 1, sizeof caller_output - 1, pipe);
  caller_output[length] = 0;
  int status = pclose(pipe);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

void assert_says(const char *text)
{
  if (!strstr(caller_output, text)) FAIL("no \"%s\" in:\n%s", text, caller_output);
}

void write_file(const char *name, const char *text)
{
  char path[256];
  snprintf(path, sizeof path, "%s/%s", caller_directory, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

json_t *read_json(const char *name)
{
  char path[256];
  json_error_t error;
  snprintf(path, sizeof path, "%s/%s", caller_directory, name);
  json_t *root = json_load_file(path, 0, &error);
  if (!root) FAIL("%s:%d: %s", name, error.line, error.text);
  return root;
}

size_t longest_line(void)
{
  size_t longest = 0;
  for (const char *line = caller_output; *line; line += strcspn(line, "\n") + 1)
    if (strcspn(line, "\n") > longest) longest = strcspn(line, "\n");
  return longest;
}

void assert_made(const char *name)
{
  char path[256];
  snprintf(path, sizeof path, "%s/%s", caller_directory, name);
  FILE *file = fopen(path, "r");
  if (!file) FAIL("%s was not made; the program said:\n%s", name, caller_output);
  if (fgetc(file) == EOF) FAIL("%s is empty", name);
  fclose(file);
}

bool caller_find(int argc, char **argv)
{
  if (argc < 2) fprintf(stderr, "usage: %s PATH_OF_CNNBLAS_BENCH\n", argv[0]);
  program = argc < 2 ? NULL : realpath(argv[1], NULL);
  return program;
}

int caller_begin(void **state)
{
  (void)state;
  return mkdtemp(caller_directory) ? 0 : -1;
}

int caller_end(void **state)
{
  (void)state;
  static const char *const names[] = {"some.txt",   "out.json",    "out.csv",        "old.json",   "new.json",
                                      "other.json", "broken.json", "no_report.json", "some.wisdom"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", caller_directory, names[i]);
    unlink(path);
  }
  char command[256];
  snprintf(command, sizeof command, "rm -rf %s/pictures", caller_directory);
  if (system(command)) return -1;
  return rmdir(caller_directory);
}
