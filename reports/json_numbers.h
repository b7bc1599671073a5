/* Real numbers in JSON: null where there is none, and in the text as few digits as say the same. */
#ifndef REPORTS_JSON_NUMBERS_H
#define REPORTS_JSON_NUMBERS_H

#include <jansson.h>

/* A figure as JSON: null for NaN and infinities, which JSON does not know and json_real refuses. NULL without memory. */
json_t *io_json_number(double value);

/*
 * Rewrites every real number of the text, in place, with the fewest significant digits that strtod reads back as the same
 * double: jansson writes 0.1 as 0.10000000000000001. A real number stays recognisable by its point or exponent; integers and
 * strings are left alone. The text must be jansson's, with JSON_REAL_PRECISION(17) or its default; it never gets longer.
 */
void io_json_shorten_numbers(char *text);

#endif
