/* The notation's characters, words and numbers. */
#include "net/text.h"
#include "base/shared.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_STEPS = 100000000, MOST_POWER = 22 /* the largest power of ten that a double holds exactly */ };

static bool is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
  return lower(c) >= 'a' && lower(c) <= 'z';
}

char cb_text_peek(cb_net_text *t)
{
  while (is_blank(t->text[t->at])) t->at++;
  return t->text[t->at];
}

int cb_text_column(cb_net_text *t)
{
  cb_text_peek(t);
  return (int)t->at + 1;
}

bool cb_text_digit(cb_net_text *t)
{
  return is_digit(cb_text_peek(t));
}

/* Writes what stands at the reader's place, for messages. */
static void found(cb_net_text *t, char *text, size_t size)
{
  char c = cb_text_peek(t);
  int length = 1;
  while (is_letter(c) && length < 16 && (is_letter(t->text[t->at + length]) || is_digit(t->text[t->at + length])))
    length++;
  if (!c)
    snprintf(text, size, "the end of the text");
  else if ((unsigned char)c < 32 || (unsigned char)c > 126)
    snprintf(text, size, "byte 0x%02x", (unsigned)(unsigned char)c);
  else
    snprintf(text, size, "'%.*s'", length, t->text + t->at);
}

bool cb_text_expected(cb_net_text *t, const char *what)
{
  char seen[40];
  found(t, seen, sizeof seen);
  return cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: expected %s, found %s", cb_text_column(t), what, seen);
}

bool cb_text_fail(cb_net_text *t, cnnblas_status status, const char *format, ...)
{
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  t->status = cnnblas_shared_fail(status, "%s", text);
  return false;
}

bool cb_text_accept(cb_net_text *t, const char *symbol)
{
  cb_text_peek(t);
  size_t length = strlen(symbol);
  if (strncmp(t->text + t->at, symbol, length) != 0) return false;
  t->at += (int64_t)length;
  return true;
}

bool cb_text_word(cb_net_text *t, const char *word)
{
  cb_text_peek(t);
  int64_t i = 0;
  for (; word[i]; i++)
    if (lower(t->text[t->at + i]) != lower(word[i])) return false;
  if (is_letter(t->text[t->at + i])) return false;
  t->at += i;
  return true;
}

bool cb_text_number(cb_net_text *t, int64_t least, const char *what, int64_t *value)
{
  int64_t v = 0;
  if (!cb_text_digit(t)) return cb_text_expected(t, what);
  int64_t start = t->at;
  for (; is_digit(t->text[t->at]); t->at++) {
    v = 10 * v + (t->text[t->at] - '0');
    if (v > CB_NET_MAX_NUMBER) break;
  }
  *value = v;
  if (v >= least && v <= CB_NET_MAX_NUMBER) return true;
  return cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: expected %s; a number here is %lld to %d", (int)start + 1,
                      what, (long long)least, CB_NET_MAX_NUMBER);
}

/* Takes an exponent, as e-3, if there is one, and multiplies by its power of ten. */
static bool exponent(cb_net_text *t, double *value)
{
  const char *at = t->text + t->at;
  bool sign = at[0] && (at[1] == '-' || at[1] == '+');
  int64_t power;
  double ten = 1;
  if (lower(at[0]) != 'e' || !is_digit(at[1 + sign])) return true;
  int start = (int)t->at + 1;
  t->at += 1 + sign;
  if (!cb_text_number(t, 0, "an exponent", &power)) return false;
  if (power > MOST_POWER)
    return cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: expected an exponent of at most %d", start, MOST_POWER);
  while (power--) ten *= 10;
  *value = at[1] == '-' ? *value / ten : *value * ten;
  return true;
}

bool cb_text_decimal(cb_net_text *t, bool sign, const char *what, double *value)
{
  int64_t whole;
  double unit = 1;
  bool minus = sign && cb_text_peek(t) == '-' && is_digit(t->text[t->at + 1]);
  t->at += minus;
  if (!cb_text_number(t, 0, what, &whole)) return false;
  *value = (double)whole;
  if (t->text[t->at] == '.')
    for (t->at++; is_digit(t->text[t->at]); t->at++) {
      unit /= 10;
      *value += unit * (t->text[t->at] - '0');
    }
  if (!exponent(t, value)) return false;
  if (minus) *value = -*value;
  return true;
}

bool cb_text_numbers(cb_net_text *t, int64_t least, int most, const char *what, int64_t *values, int *count)
{
  for (*count = 0;;) {
    if (*count == most)
      return cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: expected at most %d numbers joined by 'x'",
                          cb_text_column(t), most);
    if (!cb_text_number(t, least, what, &values[(*count)++])) return false;
    if (lower(cb_text_peek(t)) != 'x') return true;
    t->at++;
  }
}

/* Turns `count` values that the text has at a column into one an axis. */
static bool spread(cb_net_text *t, int column, int count, int64_t values[3])
{
  if (count == 1)
    for (int i = 1; i < 3; i++) values[i] = i < t->rank ? values[0] : 0;
  else if (count != t->rank)
    return cb_text_fail(t, CNNBLAS_BAD_FORMAT,
                        "column %d: expected 1 or %d numbers, one an axis of the input, found %d", column, t->rank,
                        count);
  for (int i = t->rank; i < 3; i++) values[i] = 0;
  return true;
}

bool cb_text_sizes(cb_net_text *t, int64_t least, const char *what, int64_t values[3])
{
  int count, start = cb_text_column(t);
  return cb_text_numbers(t, least, 3, what, values, &count) && spread(t, start, count, values);
}

bool cb_text_ends(cb_net_text *t, const char *what, int64_t begin[3], int64_t end[3])
{
  int count = 0, start = cb_text_column(t);
  do {
    if (count == 3)
      return cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: expected at most 3 numbers joined by 'x'",
                          cb_text_column(t));
    if (!cb_text_number(t, 0, what, &begin[count])) return false;
    end[count] = begin[count];
    if (cb_text_accept(t, ":") && !cb_text_number(t, 0, what, &end[count])) return false;
    count++;
  } while (lower(cb_text_peek(t)) == 'x' && ++t->at);
  return spread(t, start, count, begin) && spread(t, start, count, end);
}

bool cb_text_spend(cb_net_text *t, int64_t steps)
{
  t->steps += steps;
  if (t->steps <= MAX_STEPS) return true;
  return cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: up to here its repetitions take more than %d steps to read",
                      (int)t->at + 1, MAX_STEPS);
}
