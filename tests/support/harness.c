/* Notes for crashes, and failing with words; see harness.h. */
#define _GNU_SOURCE
#include "support/harness.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char doing[768];

static void on_crash(int number)
{
  ssize_t ignored = write(STDERR_FILENO, "\ncrashed while: ", 16);
  ignored = write(STDERR_FILENO, doing, strlen(doing));
  ignored = write(STDERR_FILENO, "\n", 1);
  (void)ignored;
  signal(number, SIG_DFL);
  raise(number);
}

void harness_doing(const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(doing, sizeof doing, format, args);
  va_end(args);
  struct sigaction now; /* cmocka puts its own handlers around every test */
  if (sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_handler == on_crash) return;
  signal(SIGSEGV, on_crash);
  signal(SIGBUS, on_crash);
  signal(SIGFPE, on_crash);
  signal(SIGILL, on_crash);
  signal(SIGABRT, on_crash);
}

const char *harness_line(void)
{
  return doing;
}

void harness_assert_ok(cnnblas_status status, const char *call, const char *file, int line)
{
  if (status == CNNBLAS_OK) return;
  print_error("%s\n  gave %s: %s\n  while: %s\n", call, cnnblas_status_string(status), cnnblas_last_error(), doing);
  _fail(file, line);
}

void harness_fail(const char *file, int line, const char *format, ...)
{
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  print_error("%s\n  while: %s\n", text, doing);
  _fail(file, line);
}

void harness_skip_without_isa(void)
{
  const char *wanted = getenv("CNNBLAS_ISA");
  cnnblas_system_info info;
  if (cnnblas_system_get_info(&info) != CNNBLAS_OK) exit(1);
  printf("isa: %s (detected %s)\n", info.isa, info.isa_detected);
  if (!wanted || strcmp(wanted, info.isa) == 0) return;
  printf("skipped: this machine has no %s\n", wanted);
  exit(77);
}

int algorithm_count(void)
{
  int count = 0;
  while (cnnblas_conv_algorithm_name(count)) count++;
  return count;
}

cnnblas_algorithm_info algorithm_info(const char *name)
{
  cnnblas_algorithm_info info;
  for (int32_t i = 0; name && cnnblas_conv_algorithm_info(i, &info) == CNNBLAS_OK; i++)
    if (strcmp(info.name, name) == 0) return info;
  return (cnnblas_algorithm_info){.name = "auto",
                                  .family = "auto",
                                  .orientation = "",
                                  .directions = (1 << DIRECTIONS) - 1,
                                  .scope = CNNBLAS_SCOPE_EVERY};
}

const char *algorithm_where(bool (*is)(const cnnblas_algorithm_info *row))
{
  cnnblas_algorithm_info row;
  for (int32_t i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++)
    if (is(&row)) return row.name;
  fail_msg("no row of the table of algorithms is as wanted");
  return NULL;
}

void assert_algorithm(const char *name, const char *asked)
{
  const bool exactly = strcmp(algorithm_info(asked).name, asked) == 0;
  assert_string_equal(exactly ? name : algorithm_info(name).family, asked);
}
