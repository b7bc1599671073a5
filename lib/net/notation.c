/*
 * Parser of the network notation: recursive descent straight over the text, a function a rule of the grammar in
 * cnnblas/net.h. A group is read twice or more: once without adding layers, to reach the repeat count behind it, then
 * once for each repetition.
 */
#include "net/notation.h"
#include "net/support.h"
#include <stdio.h>
#include <string.h>

/* A short text may ask for much: steps are characters of groups and input maps of ranges, repetitions counted. */
enum { MAX_PASSES = 100000, MAX_STEPS = 100000000, MAX_TABLE = 1 << 24 };
enum { DEFAULT_FILTERS = 16, DEFAULT_FILTER_SIZE = 3, DEFAULT_WINDOW = 2, DEFAULT_OUTPUTS = 128 };

typedef struct {
  const char *text;
  int64_t at; /* the next character */
  int depth, passes;
  int64_t steps;
  bool dry; /* reading a group for its end only */
  const cnnblas_net_options *options;
  cb_net_design *design;
  cnnblas_status status;
} parser;

/* ---- characters, words, numbers ---- */

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

static char peek(parser *p)
{
  while (is_blank(p->text[p->at])) p->at++;
  return p->text[p->at];
}

static int column(parser *p)
{
  peek(p);
  return (int)p->at + 1;
}

/* What stands at the parser's place, for messages. */
static void found(parser *p, char *text, size_t size)
{
  char c = peek(p);
  int length = 1;
  while (is_letter(c) && length < 16 && (is_letter(p->text[p->at + length]) || is_digit(p->text[p->at + length])))
    length++;
  if (!c)
    snprintf(text, size, "the end of the text");
  else if ((unsigned char)c < 32 || (unsigned char)c > 126)
    snprintf(text, size, "byte 0x%02x", (unsigned)(unsigned char)c);
  else
    snprintf(text, size, "'%.*s'", length, p->text + p->at);
}

static bool expected(parser *p, const char *what)
{
  char seen[40];
  found(p, seen, sizeof seen);
  p->status = cb_net_fail(CNNBLAS_BAD_FORMAT, "column %d: expected %s, found %s", column(p), what, seen);
  return false;
}

static bool accept(parser *p, const char *symbol)
{
  peek(p);
  size_t length = strlen(symbol);
  if (strncmp(p->text + p->at, symbol, length) != 0) return false;
  p->at += (int64_t)length;
  return true;
}

/* Takes a keyword, in any case, that does not go on as a longer word. */
static bool accept_word(parser *p, const char *word)
{
  peek(p);
  int64_t i = 0;
  for (; word[i]; i++)
    if (lower(p->text[p->at + i]) != word[i]) return false;
  if (is_letter(p->text[p->at + i])) return false;
  p->at += i;
  return true;
}

static bool number(parser *p, int64_t least, const char *what, int64_t *value)
{
  int64_t v = 0;
  if (!is_digit(peek(p))) return expected(p, what);
  int64_t start = p->at;
  for (; is_digit(p->text[p->at]); p->at++) {
    v = 10 * v + (p->text[p->at] - '0');
    if (v > CB_NET_MAX_NUMBER) break;
  }
  *value = v;
  if (v >= least && v <= CB_NET_MAX_NUMBER) return true;
  p->status = cb_net_fail(CNNBLAS_BAD_FORMAT, "column %d: expected %s of %lld to %d", (int)start + 1, what,
                          (long long)least, CB_NET_MAX_NUMBER);
  return false;
}

/* number { "x" number }: fills values, as many as there are, at most `most`. */
static bool numbers(parser *p, int64_t least, int most, const char *what, int64_t *values, int *count)
{
  for (*count = 0;;) {
    if (*count == most) {
      p->status =
          cb_net_fail(CNNBLAS_BAD_FORMAT, "column %d: expected at most %d numbers joined by 'x'", column(p), most);
      return false;
    }
    if (!number(p, least, what, &values[(*count)++])) return false;
    if (lower(peek(p)) != 'x') return true;
    p->at++;
  }
}

/* sizes: one number for all axes or one an axis. */
static bool sizes(parser *p, int64_t least, const char *what, int64_t values[3])
{
  int count, rank = p->design->rank, start = column(p);
  if (!numbers(p, least, 3, what, values, &count)) return false;
  if (count == 1)
    for (int i = 1; i < 3; i++) values[i] = i < rank ? values[0] : 0;
  else if (count != rank) {
    p->status =
        cb_net_fail(CNNBLAS_BAD_FORMAT, "column %d: expected 1 or %d numbers, one an axis of the input, found %d",
                    start, rank, count);
    return false;
  }
  for (int i = rank; i < 3; i++) values[i] = 0;
  return true;
}

static bool spend(parser *p, int64_t steps)
{
  p->steps += steps;
  if (p->steps <= MAX_STEPS) return true;
  p->status = cb_net_fail(CNNBLAS_BAD_FORMAT, "column %d: up to here its repetitions take more than %d steps to read",
                          (int)p->at + 1, MAX_STEPS);
  return false;
}

/* ---- convolution ---- */

typedef struct {
  bool same, given;
  int64_t maps_at; /* place of the table, 0: none */
} conv_words;

static bool add(parser *p, cb_net_spec *spec)
{
  if (p->dry) {
    cnnblas_shared_free(spec->maps);
    return true;
  }
  p->status = cb_design_add(p->design, spec);
  if (!p->status) return true;
  cnnblas_shared_free(spec->maps);
  return false;
}

/* One list of the table: the maps that filter k sees; row is [c/g]. row NULL reads only. */
static bool map_list(parser *p, int64_t inputs, uint8_t *row)
{
  do {
    int64_t first, last;
    int start = column(p);
    if (!number(p, 0, "an input map's number", &first)) return false;
    last = first;
    if (p->text[p->at] == '-' && p->text[p->at + 1] != '>') {
      p->at++;
      if (!number(p, 0, "an input map's number", &last)) return false;
    }
    if (!p->dry && (last >= inputs || first > last)) {
      p->status = cb_net_fail(CNNBLAS_BAD_FORMAT,
                              "column %d: expected input maps of 0 to %lld in rising order, found %lld to %lld", start,
                              (long long)inputs - 1, (long long)first, (long long)last);
      return false;
    }
    if (row && !spend(p, last - first + 1)) return false;
    for (int64_t i = first; row && i <= last; i++) row[i] = 1;
  } while (accept(p, ","));
  return true;
}

static bool maps(parser *p, cb_net_spec *spec)
{
  int64_t groups = spec->conv.groups ? spec->conv.groups : 1, inputs = cb_design_end(p->design)->c / groups, lists = 0;
  int start = column(p);
  size_t bytes = (size_t)(spec->conv.k * (inputs > 0 ? inputs : 1));
  if (!p->dry && bytes > MAX_TABLE) {
    p->status = cb_net_fail(CNNBLAS_BAD_FORMAT, "column %d: expected a table of at most %d places, found %lld x %lld",
                            start, MAX_TABLE, (long long)spec->conv.k, (long long)inputs);
    return false;
  }
  if (!p->dry && !(spec->maps = cnnblas_shared_alloc(bytes, 1))) {
    p->status = cb_net_no_memory(bytes, "a table of input maps");
    return false;
  }
  do {
    bool room = !p->dry && lists < spec->conv.k;
    if (!map_list(p, inputs, room ? spec->maps + lists * inputs : NULL)) return false;
    lists++;
  } while (accept(p, "/"));
  if (p->dry || lists == spec->conv.k) return true;
  p->status = cb_net_fail(CNNBLAS_BAD_FORMAT, "column %d: expected a list of maps for each of %lld filters, found %lld",
                          start, (long long)spec->conv.k, (long long)lists);
  return false;
}

static bool pad_word(parser *p, cb_net_spec *spec, conv_words *words)
{
  words->given = true;
  words->same = accept_word(p, "same");
  if (words->same || accept_word(p, "valid")) return true;
  if (!sizes(p, 0, "a number of padding, 'same' or 'valid'", spec->conv.pad_begin)) return false;
  memcpy(spec->conv.pad_end, spec->conv.pad_begin, sizeof spec->conv.pad_end);
  return true;
}

static bool conv(parser *p, cb_net_spec *spec)
{
  conv_words words = {0};
  cnnblas_conv_desc *d = &spec->conv;
  spec->kind = CB_NET_CONV;
  d->k = DEFAULT_FILTERS;
  for (int i = 0; i < p->design->rank; i++) d->kernel[i] = DEFAULT_FILTER_SIZE;
  words.same = !is_digit(peek(p));
  if (is_digit(peek(p))) {
    if (!number(p, 1, "a number of filters", &d->k)) return false;
    if (!accept(p, "@")) return expected(p, "'@' and the filter size");
    if (!sizes(p, 1, "a number: the filter size", d->kernel)) return false;
  }
  for (;;) {
    if (accept_word(p, "stride")) {
      if (!sizes(p, 1, "a number: the stride", d->stride)) return false;
    } else if (accept_word(p, "dilation")) {
      if (!sizes(p, 1, "a number: the dilation", d->dilation)) return false;
    } else if (accept_word(p, "groups")) {
      if (!number(p, 1, "a number of groups", &d->groups)) return false;
    } else if (accept_word(p, "pad")) {
      if (!pad_word(p, spec, &words)) return false;
    } else if (accept_word(p, "maps")) {
      words.maps_at = (peek(p), p->at);
      bool dry = p->dry;
      p->dry = true; /* the groups may come behind it */
      bool read = maps(p, spec);
      p->dry = dry;
      if (!read) return false;
    } else {
      break;
    }
  }
  for (int i = 0; words.same && i < p->design->rank; i++)
    d->pad_begin[i] = d->pad_end[i] = (d->kernel[i] - 1) / 2 * (d->dilation[i] ? d->dilation[i] : 1);
  if (words.maps_at && !p->dry) {
    int64_t end = p->at;
    p->at = words.maps_at;
    if (!maps(p, spec)) return cnnblas_shared_free(spec->maps), false;
    p->at = end;
  }
  return add(p, spec);
}

/* ---- pool, fully connected, activation ---- */

static bool pool(parser *p, cb_net_spec *spec)
{
  cnnblas_pool_desc *d = &spec->pool;
  spec->kind = CB_NET_POOL;
  if (accept_word(p, "avg"))
    d->kind = CNNBLAS_POOL_AVG;
  else if (accept_word(p, "l2"))
    d->kind = CNNBLAS_POOL_L2;
  else
    accept_word(p, "max");
  for (int i = 0; i < p->design->rank; i++) d->kernel[i] = DEFAULT_WINDOW;
  if (is_digit(peek(p))) {
    if (!sizes(p, 1, "a number: the window size", d->kernel)) return false;
    if (accept(p, "/") && !sizes(p, 1, "a number: the stride", d->stride)) return false;
  }
  for (;;) {
    if (accept_word(p, "pad")) {
      if (!sizes(p, 0, "a number of padding", d->pad_begin)) return false;
      memcpy(d->pad_end, d->pad_begin, sizeof d->pad_end);
    } else if (accept_word(p, "ceil")) {
      d->ceil_mode = 1;
    } else {
      break;
    }
  }
  if (accept(p, "?"))
    for (int i = 0; i < p->design->rank; i++)
      if (d->kernel[i] > cb_design_end(p->design)->size[i]) return true; /* left out */
  return add(p, spec);
}

static bool fully_connected(parser *p, cb_net_spec *spec)
{
  spec->kind = CB_NET_FC;
  spec->bare = !is_digit(peek(p));
  spec->out.c = DEFAULT_OUTPUTS;
  if (!spec->bare && !number(p, 1, "a number of outputs", &spec->out.c)) return false;
  return add(p, spec);
}

static bool activation(parser *p, cb_net_spec *spec, cb_net_kind kind, cnnblas_activation_kind function)
{
  spec->kind = kind;
  spec->activation.function.kind = function;
  if (kind == CB_NET_LEAKY && is_digit(peek(p))) {
    int64_t whole;
    double unit = 1;
    if (!number(p, 0, "a slope", &whole)) return false;
    spec->activation.function.alpha = (double)whole;
    if (p->text[p->at] == '.')
      for (p->at++; is_digit(p->text[p->at]); p->at++) {
        unit /= 10;
        spec->activation.function.alpha += unit * (p->text[p->at] - '0');
      }
  }
  return add(p, spec);
}

/* ---- groups ---- */

static bool items(parser *p);

/* Reads the group's body, behind its '['. */
static bool body(parser *p, int64_t start, bool dry)
{
  bool was_dry = p->dry;
  if (++p->passes > MAX_PASSES) {
    p->status = cb_net_fail(CNNBLAS_BAD_FORMAT, "column %d: the groups repeat more than %d times in all", (int)start,
                            MAX_PASSES);
    return false;
  }
  p->at = start;
  p->dry = dry;
  bool read = items(p) && (accept(p, "]") || expected(p, "'->' or ']'"));
  p->dry = was_dry;
  return read && spend(p, p->at - start);
}

static bool group(parser *p)
{
  int64_t start = p->at, times = 1;
  if (++p->depth > CB_NET_MAX_DEPTH) {
    p->status =
        cb_net_fail(CNNBLAS_BAD_FORMAT, "column %d: groups are nested more than %d deep", (int)start, CB_NET_MAX_DEPTH);
    return false;
  }
  if (!body(p, start, true)) return false;
  if (accept(p, "*") && !number(p, 0, "a number of repetitions", &times)) return false;
  int64_t end = p->at;
  for (int64_t i = 0; i < times && !p->dry; i++)
    if (!body(p, start, false)) return false;
  p->at = end;
  p->depth--;
  return true;
}

static bool item(parser *p)
{
  cb_net_spec spec = {.column = column(p)};
  if (accept(p, "[")) return group(p);
  if (accept_word(p, "conv")) return conv(p, &spec);
  if (accept_word(p, "pool")) return pool(p, &spec);
  if (accept_word(p, "fc")) return fully_connected(p, &spec);
  if (accept_word(p, "relu")) return activation(p, &spec, CB_NET_RELU, CNNBLAS_RELU);
  if (accept_word(p, "leaky")) return activation(p, &spec, CB_NET_LEAKY, CNNBLAS_LEAKY_RELU);
  if (accept_word(p, "sigmoid")) return activation(p, &spec, CB_NET_SIGMOID, CNNBLAS_SIGMOID);
  if (accept_word(p, "tanh")) return activation(p, &spec, CB_NET_TANH, CNNBLAS_TANH);
  return expected(p, "CONV, POOL, FC, RELU, LEAKY, SIGMOID, TANH or '['");
}

static bool items(parser *p)
{
  do {
    if (!item(p)) return false;
  } while (accept(p, "->"));
  return true;
}

/* ---- the whole ---- */

/* The data's shape, as the options have it. */
static void shape_of_options(const cnnblas_net_options *o, cb_net_design *d)
{
  d->rank = 0;
  while (d->rank < 3 && o->size[d->rank]) d->rank++;
  d->input.c = o->c;
  for (int i = 0; i < d->rank; i++) d->input.size[i] = o->size[i];
}

static bool input(parser *p)
{
  cb_net_design *d = p->design;
  const cnnblas_net_options *o = p->options;
  int64_t given[4];
  int count = 0, start = column(p);
  if (!accept_word(p, "input")) return expected(p, "INPUT");
  if (!is_digit(peek(p)) && !o->c) return expected(p, "the input's size, as 1x28x28, which the call does not give");
  shape_of_options(o, d);
  if (is_digit(peek(p))) {
    start = column(p);
    if (!numbers(p, 1, 4, "a number: the input's size", given, &count)) return false;
    bool agrees = !o->c || o->c == given[0];
    for (int i = 0; o->c && i < 3; i++) agrees = agrees && (i + 1 < count ? given[i + 1] : 0) == o->size[i];
    if (!agrees) {
      p->status =
          cb_net_fail(CNNBLAS_BAD_FORMAT,
                      "column %d: expected the data's size, %lld channels of %lld x %lld x %lld (0: no such axis)",
                      start, (long long)o->c, (long long)o->size[0], (long long)o->size[1], (long long)o->size[2]);
      return false;
    }
    d->rank = count - 1;
    d->input.c = given[0];
    for (int i = 0; i < d->rank; i++) d->input.size[i] = given[i + 1];
  }
  if (d->rank == 0) { /* features without a place */
    d->rank = 2;
    d->input.size[0] = d->input.size[1] = 1;
  }
  d->input.elements = d->input.c;
  for (int i = 0; i < d->rank; i++)
    if (__builtin_mul_overflow(d->input.elements, d->input.size[i], &d->input.elements)) {
      p->status = cb_net_fail(CNNBLAS_SIZE_OVERFLOW, "column %d: the input's elements do not fit in 63 bits", start);
      return false;
    }
  return true;
}

/* The last layer's outputs are the classes. */
static bool classes(parser *p)
{
  cb_net_design *d = p->design;
  if (d->count == 0) {
    p->status = cb_net_fail(CNNBLAS_BAD_FORMAT, "column %d: expected a network with at least one layer", column(p));
    return false;
  }
  cb_net_spec *last = &d->layers[d->count - 1];
  int64_t wanted = p->options->classes;
  if (last->kind == CB_NET_FC && last->bare) {
    if (!wanted) {
      p->status = cb_net_fail(CNNBLAS_BAD_FORMAT,
                              "column %d: expected the number of outputs behind the last FC, which the "
                              "call does not give either",
                              last->column);
      return false;
    }
    last->out.c = last->out.elements = wanted;
  }
  if (!wanted || last->out.elements == wanted) return true;
  p->status = cb_net_fail(CNNBLAS_BAD_FORMAT, "column %d: the last layer has %lld outputs, but there are %lld classes",
                          last->column, (long long)last->out.elements, (long long)wanted);
  return false;
}

cnnblas_status cb_notation_parse(const char *text, const cnnblas_net_options *options, cb_net_design *design)
{
  memset(design, 0, sizeof *design);
  parser p = {.text = text, .options = options, .design = design};
  bool read = input(&p);
  while (read && accept(&p, "->")) read = item(&p);
  if (read && peek(&p)) read = expected(&p, "'->' or the end of the text");
  if (read) read = classes(&p);
  if (!read) cb_design_free(design);
  return p.status;
}
