/* Words, numbers and sizes of the notation, for the parser and the rows' own. Every error names its column. */
#ifndef CB_NET_TEXT_H
#define CB_NET_TEXT_H

#include "net/layer.h"

enum { CB_NET_MAX_NUMBER = 1000000000 };

typedef struct {
  const char *text;
  int64_t at;      /* offset of the next character */
  int64_t steps;   /* number of characters of groups and of input maps of ranges read so far, repetitions counted */
  int rank;        /* number of spatial axes of the input */
  bool dry;        /* true: a group is read only to find its end */
  cb_net_shape in; /* shape of the layer's input; only a guess in a dry reading */
  cnnblas_status status;
} cb_net_text;

/* Skips blanks and returns the next character, without taking it. */
char cb_text_peek(cb_net_text *t);

/* The column of the next character that is no blank, from 1. */
int cb_text_column(cb_net_text *t);

/* True if a number begins at the next character that is no blank. */
bool cb_text_digit(cb_net_text *t);

/* Fails with "column 7: expected WHAT, found 'x'" and returns false. */
bool cb_text_expected(cb_net_text *t, const char *what);

/* Fails with a sentence of its own and returns false. */
bool cb_text_fail(cb_net_text *t, cnnblas_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Take a symbol; a keyword, in any case, that does not go on as a longer word. They return false where it does not
   stand. */
bool cb_text_accept(cb_net_text *t, const char *symbol);
bool cb_text_word(cb_net_text *t, const char *word);

/* Takes a whole number of `least` to CB_NET_MAX_NUMBER; `what` names it in the message. */
bool cb_text_number(cb_net_text *t, int64_t least, const char *what, int64_t *value);

/* Takes digits, perhaps with a fraction and an exponent and, with `sign`, a minus in front. */
bool cb_text_decimal(cb_net_text *t, bool sign, const char *what, double *value);

/* Takes number { "x" number }: fills values with the *count that there are, at most `most`. */
bool cb_text_numbers(cb_net_text *t, int64_t least, int most, const char *what, int64_t *values, int *count);

/* Takes one number for all axes or one an axis. */
bool cb_text_sizes(cb_net_text *t, int64_t least, const char *what, int64_t values[3]);

/* Takes one number for all axes or one an axis, two where an axis's ends differ: 1:2x0:1. */
bool cb_text_ends(cb_net_text *t, const char *what, int64_t begin[3], int64_t end[3]);

/* Counts steps of reading; fails and returns false where a short text asks for too many. */
bool cb_text_spend(cb_net_text *t, int64_t steps);

#endif
