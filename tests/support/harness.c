/* Notes for crashes, and failing with words; see harness.h. */
#define _GNU_SOURCE
#include "support/harness.h"
#include <signal.h>
#include <stdio.h>
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
  signal(SIGSEGV, on_crash); /* again each time: cmocka puts its own handlers around every test */
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
  return (cnnblas_algorithm_info){
      .name = "auto", .family = "auto", .orientation = "", .directions = (1 << DIRECTIONS) - 1};
}

bool algorithm_is(const char *name, const char *asked)
{
  return strcmp(name, asked) == 0 || strcmp(algorithm_info(name).family, asked) == 0;
}
