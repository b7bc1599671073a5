/* Shortest decimal forms; see json_numbers.h. */
#include "reports/json_numbers.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIGITS = 17 }; /* enough for every double */

/* "1e+05" as jansson writes it, "1e5": no plus sign, no leading zeros. */
static void tidy_exponent(char *number)
{
  char *from = strchr(number, 'e');
  if (!from) return;
  char *to = ++from;
  if (*from == '-') to++;
  if (*from == '-' || *from == '+') from++;
  while (*from == '0' && from[1]) from++;
  memmove(to, from, strlen(from) + 1);
}

/* Whole numbers below 10^17 are written out, as jansson does: 100000.0, not 1e5. */
static void write_shortest(double value, char *number, size_t bytes)
{
  int digits = 1;
  do snprintf(number, bytes, "%.*g", digits, value);
  while (strtod(number, NULL) != value && digits++ < MOST_DIGITS);
  if (strchr(number, 'e') && fabs(value) >= 1 && fabs(value) < 1e17) snprintf(number, bytes, "%.0f", value);
  tidy_exponent(number);
  if (!strpbrk(number, ".e")) strcat(number, ".0");
}

json_t *io_json_number(double value)
{
  return isfinite(value) ? json_real(value) : json_null();
}

void io_json_shorten_numbers(char *text)
{
  char *to = text;
  for (const char *from = text; *from;) {
    if (*from == '"') { /* a string, whole: a backslash takes the next character with it */
      do {
        if (*from == '\\') *to++ = *from++;
        *to++ = *from++;
      } while (*from != '"');
      *to++ = *from++;
      continue;
    }
    if (!memchr("-0123456789", *from, 11)) {
      *to++ = *from++; /* punctuation, blanks, letters of true, false and null */
      continue;
    }
    size_t length = strspn(from, "+-.0123456789eE");
    char number[40];
    bool real = false;
    for (size_t i = 0; i < length; i++) real |= from[i] == '.' || from[i] == 'e' || from[i] == 'E';
    if (real) write_shortest(strtod(from, NULL), number, sizeof number);
    size_t written = real ? strlen(number) : length;
    memmove(to, real ? number : from, written);
    to += written;
    from += length;
  }
  *to = 0;
}
