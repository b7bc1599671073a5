/* cnnblas-bench, run as people run it, in a directory of the test's own. */
#ifndef TESTS_BENCH_CALLER_H
#define TESTS_BENCH_CALLER_H

#include "support/harness.h"
#include <jansson.h>
#include <stdbool.h>

extern char caller_directory[];
extern char caller_output[65536]; /* of the last call, stdout and stderr */

/* Takes the program from argv[1]; false, with the usage said, if it is not there. */
bool caller_find(int argc, char **argv);

/* Makes and removes the directory: the set-up and tear-down of the group of tests. */
int caller_begin(void **state);
int caller_end(void **state);

/* Runs the program in that directory, through the shell; its exit status. */
int caller_run(const char *arguments);

#define EXPECT(status, arguments)                                                                                      \
  do {                                                                                                                 \
    int got = caller_run(arguments);                                                                                   \
    if (got != (status)) FAIL("exit status %d instead of %d:\n%s", got, (status), caller_output);                      \
  } while (0)

/* The last call's output has the text. */
void assert_says(const char *text);
size_t longest_line(void);

/* Files of that directory. */
void write_file(const char *name, const char *text);
json_t *read_json(const char *name);
void assert_made(const char *name);

#endif
