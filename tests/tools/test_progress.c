/* The running line: what it says of the time that is left, and when it says nothing. */
#include "progress.h"
#include "support/harness.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the line is, on standard error that is a file. */
static void line_of(double left, char *text, size_t bytes)
{
  progress p;
  const progress_state state = {
      .epoch = 2, .epochs = 9, .done = 50, .images = 200, .loss = 1.5, .speed = 800, .left = left};
  int before = dup(STDERR_FILENO);
  FILE *file = tmpfile();
  assert_true(file && before >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
  progress_open(&p, PROGRESS_ALWAYS);
  progress_show(&p, 10, &state);
  progress_show(&p, 10.1, &state); /* too soon */
  progress_open(&p, PROGRESS_NEVER);
  progress_show(&p, 20, &state);
  progress_open(&p, PROGRESS_AUTO); /* no terminal */
  progress_show(&p, 30, &state);
  fflush(stderr);
  dup2(before, STDERR_FILENO);
  close(before);
  rewind(file);
  size_t got = fread(text, 1, bytes - 1, file);
  text[got] = 0;
  fclose(file);
}

static void the_time_left_is_said(void **state)
{
  (void)state;
  static const struct {
    double left;
    const char *text;
  } cases[] = {{-1, ""},
               {0, "  0 s left"},
               {89.2, "  89 s left"},
               {90, "  2 min left"},
               {3500, "  58 min left"},
               {3600, "  1 h 00 min left"},
               {100000, "  27 h 47 min left"},
               {0.0 / 0.0, ""}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[512], want[512];
    line_of(cases[i].left, text, sizeof text);
    snprintf(want, sizeof want, "epoch 2/9   25%%  loss 1.5000  800 images/s%s\n", cases[i].text);
    assert_string_equal(text, want);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_time_left_is_said)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
