/* The list; see samples.h. */
#include "support/samples.h"
#include "support/harness.h"
#include <stdio.h>
#include <string.h>

static const cnnblas_conv_desc samples[] = {
    {.n = 2, .c = 3, .k = 4, .size = {5, 6}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 3,
     .c = 5,
     .k = 7,
     .size = {7, 7},
     .kernel = {3, 3},
     .stride = {2, 2},
     .pad_begin = {1, 1},
     .pad_end = {1, 1}},
    {.n = 2, .c = 17, .k = 33, .size = {4, 14}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 1,
     .c = 3,
     .k = 8,
     .size = {15, 17},
     .kernel = {7, 7},
     .stride = {2, 2},
     .pad_begin = {3, 3},
     .pad_end = {3, 3}},
    {.n = 2, .c = 6, .k = 5, .size = {6, 5}, .kernel = {1, 1}},
    {.n = 2, .c = 6, .k = 5, .size = {7, 7}, .kernel = {1, 1}, .stride = {2, 2}},
    {.n = 2, .c = 16, .k = 32, .size = {1, 1}, .kernel = {1, 1}},
    {.n = 2, .c = 4, .k = 8, .groups = 4, .size = {6, 7}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 2, .c = 6, .k = 4, .groups = 2, .size = {6, 7}, .kernel = {3, 2}, .stride = {1, 2}, .pad_begin = {1, 0}},
    {.n = 2,
     .c = 2,
     .k = 3,
     .size = {4, 5},
     .kernel = {2, 3},
     .stride = {3, 2},
     .pad_begin = {4, 2},
     .pad_end = {1, 5}},
    {.n = 1,
     .c = 2,
     .k = 3,
     .size = {9, 8},
     .kernel = {3, 2},
     .dilation = {2, 3},
     .pad_begin = {2, 1},
     .pad_end = {1, 3}},
    {.n = 2,
     .c = 3,
     .k = 2,
     .size = {5, 6},
     .kernel = {2, 3},
     .mode = CNNBLAS_TRUE_CONVOLUTION,
     .pad_begin = {1, 0},
     .pad_end = {0, 2}},
    {.n = 21, .c = 3, .k = 5, .size = {7, 6}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 18, .c = 4, .k = 10, .groups = 2, .size = {5, 5}, .kernel = {3, 4}, .pad_begin = {4, 3}, .pad_end = {0, 5}},
    {.n = 17, .c = 4, .k = 6, .size = {4, 5}, .kernel = {4, 5}},
    {.n = 2, .rank = 1, .c = 3, .k = 4, .size = {37}, .kernel = {5}, .stride = {3}, .pad_begin = {2}, .pad_end = {1}},
    {.n = 1,
     .rank = 3,
     .c = 2,
     .k = 3,
     .size = {3, 4, 5},
     .kernel = {2, 3, 2},
     .stride = {1, 2, 1},
     .pad_begin = {1, 1, 0},
     .pad_end = {0, 1, 1}},
};

bool sample_at(int i, cnnblas_dtype dtype, problem *p)
{
  if (i < 0 || i >= (int)(sizeof samples / sizeof *samples)) return false;
  p->desc = samples[i];
  p->desc.dtype = dtype;
  problem_finish(p);
  return true;
}

long samples_run(const char *what, int directions, sample_test test)
{
  long done = 0;
  problem p;
  for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++)
    for (int i = 0; sample_at(i, (cnnblas_dtype)dtype, &p); i++)
      for (int d = 0; d < DIRECTIONS; d++)
        for (int a = 0; a <= algorithm_count() && (directions >> d & 1); a++) {
          const char *name = cnnblas_conv_algorithm_name(a);
          char text[PROBLEM_TEXT];
          problem_text(&p, text);
          harness_doing("%s: %s | %s | %s", what, text, cnnblas_conv_direction_name((cnnblas_conv_direction)d),
                        name ? name : "auto");
          done += test(&p, (cnnblas_conv_direction)d, name);
        }
  printf("%s: %ld cases\n", what, done);
  return done;
}
