/*
 * A text file written piece by piece and put in the place of the old one when it is whole: lib/base/replace.h as a FILE,
 * for the reports and scripts of the command and the benchmark. A device or a pipe is written straight.
 */
#ifndef REPORTS_OUTPUT_H
#define REPORTS_OUTPUT_H

#include "base/replace.h"
#include <stdio.h>

typedef struct {
  FILE *file; /* what is written to; NULL if it could not be opened */
  cb_replacement replacement;
} io_output;

/* Returns 0, or -1 with errno set. */
int io_output_open(io_output *output, const char *path);

/* Returns 0, or -1 with errno set if anything could not be written since the opening: the old file then stays. */
int io_output_close(io_output *output);

/* Whether io_output_open would open the path: 0, or -1 with errno set. */
int io_output_check(const char *path);

#endif
