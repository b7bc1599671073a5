/* Words, numbers and sizes of the notation, for the parser and the rows' own. Every error names its column. */
#ifndef CB_NET_TEXT_H
#define CB_NET_TEXT_H

#include "net/layer.h"

enum { CB_NET_MAX_NUMBER = 1000000000 };

typedef struct {
  const char *text;
  int64_t at;    /* the next character */
  int64_t steps; /* characters of groups and input maps of ranges, repetitions counted */
  int rank;
  bool dry;        /* reading a group for its end only */
  cb_net_shape in; /* what the layer will read; in a dry reading only a guess */
  cnnblas_status status;
} cb_net_text;

/* The next character that is no blank, which stays. */
char cb_text_peek(cb_net_text *t);

/* Its column, from 1. */
int cb_text_column(cb_net_text *t);

/* True if a number begins there. */
bool cb_text_digit(cb_net_text *t);

/* "column 7: expected WHAT, found 'x'"; false. */
bool cb_text_expected(cb_net_text *t, const char *what);

/* The same in other words. */
bool cb_text_fail(cb_net_text *t, cnnblas_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Takes a symbol; a keyword, in any case, that does not go on as a longer word. */
bool cb_text_accept(cb_net_text *t, const char *symbol);
bool cb_text_word(cb_net_text *t, const char *word);

bool cb_text_number(cb_net_text *t, int64_t least, const char *what, int64_t *value);

/* digits, perhaps with a fraction; `sign`: perhaps with a minus in front. */
bool cb_text_decimal(cb_net_text *t, bool sign, const char *what, double *value);

/* number { "x" number }: fills values, as many as there are, at most `most`. */
bool cb_text_numbers(cb_net_text *t, int64_t least, int most, const char *what, int64_t *values, int *count);

/* One number for all axes or one an axis. */
bool cb_text_sizes(cb_net_text *t, int64_t least, const char *what, int64_t values[3]);

/* The same with two numbers an axis where the ends differ: 1:2x0:1. */
bool cb_text_ends(cb_net_text *t, const char *what, int64_t begin[3], int64_t end[3]);

/* Counts steps of reading; false where a short text asks for too many. */
bool cb_text_spend(cb_net_text *t, int64_t steps);

#endif
