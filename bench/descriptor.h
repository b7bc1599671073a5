/*
 * benchdnn's problem descriptors: mb8ic64ih56oc64oh56kh3ph1n"name*3".
 *
 * A descriptor is a run of fields, each letters and a number, in any order, '_' between them ignored:
 *   g mb                groups (1), images (8)
 *   ic id ih iw         input channels (all groups together) and size
 *   oc od oh ow         output channels and size
 *   kd kh kw            filter size
 *   sd sh sw            stride (1)
 *   pd ph pw            zeros in front of the axis
 *   dd dh dw            dilation, counted from 0: dense is 0
 *   n"text" or ntext    name, last; "*3" at its end is the layer's repeat count
 * ic, oc and an axis with i and k are needed. An axis of which nothing is written is a copy of the one before it:
 * ih alone gives a square, id alone a cube; iw alone is one-dimensional. Without an output size it is computed, with
 * padding 0 where none is written; with an output size but no padding, the padding is what that output size needs,
 * the odd zero at the end. Padding behind the axis equals the padding in front where that gives the output size.
 */
#ifndef BENCH_DESCRIPTOR_H
#define BENCH_DESCRIPTOR_H

#include "problem.h"

typedef struct bench_parse_error {
  size_t column; /* 1 is the first character of the descriptor */
  char text[160];
} bench_parse_error;

/* The images of a problem that does not say. benchdnn's own default is 2. */
enum { BENCH_DEFAULT_BATCH = 8 };

/* Fills name, repeats and desc; true if text[0..length) is a valid descriptor, else error is filled. */
bool bench_descriptor_parse(const char *text, size_t length, bench_problem *problem, bench_parse_error *error);

/* The shortest descriptor that parses to this one, without the name. Always terminates buffer. */
void bench_descriptor_format(const cnnblas_conv_desc *desc, char *buffer, size_t size);

/* Called for each bad descriptor of a file; line and column count from 1. */
typedef void (*bench_bad_line)(void *context, size_t line, const bench_parse_error *error);

/*
 * Reads a problem file: descriptors apart by spaces or line ends, '#' to the end of the line is a comment. Bad ones are
 * reported (column within the line) and skipped. Returns how many were bad, or SIZE_MAX if memory ran out.
 */
size_t bench_problems_read(bench_problem_list *list, const char *set, const char *text, size_t length,
                           bench_bad_line report, void *context);

#endif
