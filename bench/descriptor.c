/* Parser and printer of problem descriptors; the grammar is in descriptor.h. */
#include "descriptor.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Axis a of {d, h, w} holds its fields at I + a, O + a and so on. */
enum field { G, MB, IC, OC, I, O = I + 3, K = O + 3, S = K + 3, P = S + 3, D = P + 3, FIELDS = D + 3 };

static const struct {
  const char *name;
  int64_t least;
} fields[FIELDS] = {{"g", 1},  {"mb", 1}, {"ic", 1}, {"oc", 1}, {"id", 1}, {"ih", 1}, {"iw", 1}, {"od", 1},
                    {"oh", 1}, {"ow", 1}, {"kd", 1}, {"kh", 1}, {"kw", 1}, {"sd", 1}, {"sh", 1}, {"sw", 1},
                    {"pd", 0}, {"ph", 0}, {"pw", 0}, {"dd", 0}, {"dh", 0}, {"dw", 0}};

static const int64_t greatest = 1000000000; /* keeps every sum and product of two fields within 63 bits */

typedef struct parser {
  const char *text;
  size_t length, at;
  int64_t value[FIELDS];
  size_t column[FIELDS]; /* 0: not written */
  bench_parse_error *error;
} parser;

static bool fail(parser *p, size_t column, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool fail(parser *p, size_t column, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  p->error->column = column;
  vsnprintf(p->error->text, sizeof p->error->text, format, arguments);
  va_end(arguments);
  return false;
}

/* The field whose name stands at the parser's position; FIELDS if none does. "g" is the only one of one letter. */
static int find_field(const parser *p)
{
  for (int f = 0; f < FIELDS; f++) {
    size_t letters = strlen(fields[f].name);
    if (p->length - p->at >= letters && memcmp(p->text + p->at, fields[f].name, letters) == 0) return f;
  }
  return FIELDS;
}

static bool read_field(parser *p)
{
  size_t column = p->at + 1;
  int f = find_field(p);
  if (f == FIELDS) {
    size_t letters = 0;
    while (p->at + letters < p->length && isalpha((unsigned char)p->text[p->at + letters])) letters++;
    return fail(p, column, "unknown field \"%.*s\"", (int)(letters ? letters : 1), p->text + p->at);
  }
  if (p->column[f]) return fail(p, column, "%s is given twice", fields[f].name);
  p->at += strlen(fields[f].name);
  size_t first = p->at;
  int64_t value = 0;
  for (; p->at < p->length && isdigit((unsigned char)p->text[p->at]); p->at++) {
    value = 10 * value + (p->text[p->at] - '0');
    if (value > greatest) return fail(p, first + 1, "%s is more than %lld", fields[f].name, (long long)greatest);
  }
  if (p->at == first) return fail(p, first + 1, "%s needs a number", fields[f].name);
  if (value < fields[f].least)
    return fail(p, first + 1, "%s is %lld; it must be at least %lld", fields[f].name, (long long)value,
                (long long)fields[f].least);
  p->value[f] = value;
  p->column[f] = column;
  return true;
}

/* n"text*3" up to the end of the descriptor; '/' would break the benchmark's own names and becomes ':'. */
static bool read_name(parser *p, bench_problem *problem)
{
  size_t column = p->at + 1, begin = column, end = p->length;
  if (begin < end && p->text[begin] == '"') {
    begin++;
    const char *quote = memchr(p->text + begin, '"', p->length - begin);
    if (!quote) return fail(p, begin, "the name's closing quote is missing");
    end = (size_t)(quote - p->text);
    if (end + 1 < p->length) return fail(p, end + 2, "nothing may follow the name");
  }
  if (begin == end) return fail(p, column, "the name is empty");
  size_t star = end;
  while (star > begin && isdigit((unsigned char)p->text[star - 1])) star--;
  if (star > begin + 1 && star < end && p->text[star - 1] == '*') {
    int64_t repeats = 0;
    for (size_t i = star; i < end && repeats <= greatest; i++) repeats = 10 * repeats + (p->text[i] - '0');
    if (repeats < 1 || repeats > greatest)
      return fail(p, star + 1, "the repeat count must be 1 to %lld", (long long)greatest);
    problem->repeats = repeats;
    end = star - 1;
  }
  if (end - begin >= sizeof problem->name)
    return fail(p, begin + 1, "the name is longer than %zu characters", sizeof problem->name - 1);
  for (size_t i = begin; i < end; i++) problem->name[i - begin] = p->text[i] == '/' ? ':' : p->text[i];
  problem->name[end - begin] = 0;
  p->at = p->length;
  return true;
}

/* Output size of an axis, 0 if the filter does not fit. */
static int64_t output_size(int64_t in, int64_t span, int64_t stride, int64_t padding)
{
  return in + padding < span ? 0 : (in + padding - span) / stride + 1;
}

/* Fills one axis of desc from its fields d/h/w number a. */
static bool finish_axis(parser *p, int a, int axis, cnnblas_conv_desc *desc)
{
  int64_t *v = p->value;
  size_t *given = p->column;
  if (!given[I + a]) return fail(p, p->length + 1, "%s is missing", fields[I + a].name);
  if (!given[K + a]) return fail(p, p->length + 1, "%s is missing", fields[K + a].name);
  int64_t in = v[I + a], kernel = v[K + a], stride = given[S + a] ? v[S + a] : 1;
  int64_t span = v[D + a] * (kernel - 1) + kernel, begin = v[P + a], out = v[O + a];
  int64_t needed = (out - 1) * stride + span - in; /* zeros that this output size takes, both ends together */
  if (given[O + a] && !given[P + a]) begin = needed > 0 ? needed / 2 : 0;
  if (!given[O + a]) {
    out = output_size(in, span, stride, 2 * begin);
    if (out == 0)
      return fail(p, given[K + a], "the filter spans %lld, more than the padded input's %lld", (long long)span,
                  (long long)(in + 2 * begin));
  }
  int64_t end = begin;
  if (output_size(in, span, stride, 2 * begin) != out) end = needed - begin > 0 ? needed - begin : 0;
  if (output_size(in, span, stride, begin + end) != out)
    return fail(p, given[O + a], "%s is %lld, but the input, filter, stride and padding give %lld", fields[O + a].name,
                (long long)out, (long long)output_size(in, span, stride, begin + end));
  desc->size[axis] = in;
  desc->kernel[axis] = kernel;
  desc->stride[axis] = stride;
  desc->dilation[axis] = v[D + a] + 1;
  desc->pad_begin[axis] = begin;
  desc->pad_end[axis] = end;
  return true;
}

static bool axis_written(const parser *p, int a)
{
  return p->column[I + a] || p->column[O + a] || p->column[K + a] || p->column[S + a] || p->column[P + a] ||
         p->column[D + a];
}

static void copy_axis(parser *p, int from, int to)
{
  for (int f = I; f < FIELDS; f += 3) {
    p->value[f + to] = p->value[f + from];
    p->column[f + to] = p->column[f + from];
  }
}

/* The descriptor's fields, elisions filled in, as the library wants them. */
static bool finish(parser *p, bench_problem *problem)
{
  if (!p->column[IC]) return fail(p, p->length + 1, "ic is missing");
  if (!p->column[OC]) return fail(p, p->length + 1, "oc is missing");
  int first = axis_written(p, 0) ? 0 : axis_written(p, 1) ? 1 : 2;
  for (int a = first + 1; a < 3; a++)
    if (!axis_written(p, a)) copy_axis(p, a - 1, a);
  cnnblas_conv_desc *desc = &problem->desc;
  desc->rank = 3 - first;
  desc->n = p->column[MB] ? p->value[MB] : BENCH_DEFAULT_BATCH;
  desc->c = p->value[IC];
  desc->k = p->value[OC];
  desc->groups = p->column[G] ? p->value[G] : 1;
  if (desc->c % desc->groups || desc->k % desc->groups)
    return fail(p, p->column[G], "g is %lld; it must divide ic and oc", (long long)desc->groups);
  for (int a = first; a < 3; a++)
    if (!finish_axis(p, a, a - first, desc)) return false;
  cnnblas_conv_shape shape;
  if (cnnblas_conv_get_shape(desc, &shape)) return fail(p, 1, "%s", cnnblas_last_error());
  return true;
}

bool bench_descriptor_parse(const char *text, size_t length, bench_problem *problem, bench_parse_error *error)
{
  parser p = {.text = text, .length = length, .error = error};
  *problem = (bench_problem){.repeats = 1};
  while (p.at < p.length) {
    if (text[p.at] == '_')
      p.at++;
    else if (text[p.at] == 'n' ? !read_name(&p, problem) : !read_field(&p))
      return false;
  }
  if (!finish(&p, problem)) return false;
  if (!problem->name[0]) {
    bench_descriptor_format(&problem->desc, problem->name, sizeof problem->name);
  }
  return true;
}

typedef struct printer {
  char *buffer;
  size_t size, used;
} printer;

static void print(printer *out, const char *name, int64_t value)
{
  size_t left = out->used < out->size ? out->size - out->used : 0;
  int wrote = snprintf(left ? out->buffer + out->used : NULL, left, "%s%lld", name, (long long)value);
  if (wrote > 0) out->used += (size_t)wrote;
}

/* One kind of field for the axes that are printed, if it differs from its default anywhere. */
static void print_axes(printer *out, int field, const int64_t *values, int rank, const bool *shown, int64_t usual)
{
  bool wanted = false;
  for (int axis = 0; axis < rank; axis++) wanted |= values[axis] != usual;
  for (int axis = 0; axis < rank && wanted; axis++)
    if (shown[axis]) print(out, fields[field + 3 - rank + axis].name, values[axis]);
}

void bench_descriptor_format(const cnnblas_conv_desc *desc, char *buffer, size_t size)
{
  printer out = {buffer, size, 0};
  cnnblas_conv_shape shape = {0};
  cnnblas_conv_get_shape(desc, &shape);
  int rank = desc->rank ? desc->rank : 2;
  bool shown[3] = {true, true, true};
  int64_t dilation[3] = {0}, stride[3] = {0};
  for (int a = 0; a < rank; a++) {
    dilation[a] = desc->dilation[a] ? desc->dilation[a] - 1 : 0;
    stride[a] = desc->stride[a] ? desc->stride[a] : 1;
    shown[a] = a == 0 || desc->size[a] != desc->size[a - 1] || desc->kernel[a] != desc->kernel[a - 1] ||
               stride[a] != stride[a - 1] || dilation[a] != dilation[a - 1] ||
               desc->pad_begin[a] != desc->pad_begin[a - 1] || shape.out[a] != shape.out[a - 1];
  }
  if (size) buffer[0] = 0;
  if (desc->groups > 1) print(&out, "g", desc->groups);
  print(&out, "mb", desc->n);
  print(&out, "ic", desc->c);
  print_axes(&out, I, desc->size, rank, shown, 0);
  print(&out, "oc", desc->k);
  print_axes(&out, O, shape.out, rank, shown, 0);
  print_axes(&out, K, desc->kernel, rank, shown, 0);
  print_axes(&out, S, stride, rank, shown, 1);
  print_axes(&out, P, desc->pad_begin, rank, shown, -1);
  print_axes(&out, D, dilation, rank, shown, 0);
}

size_t bench_problems_read(bench_problem_list *list, const char *set, const char *text, size_t length,
                           bench_bad_line report, void *context)
{
  size_t bad = 0, line = 1, line_begin = 0;
  for (size_t at = 0; at < length;) {
    if (text[at] == '\n') {
      line++;
      line_begin = ++at;
    } else if (text[at] == '#') {
      while (at < length && text[at] != '\n') at++;
    } else if (isspace((unsigned char)text[at])) {
      at++;
    } else {
      size_t begin = at;
      for (bool quoted = false; at < length && text[at] != '\n'; at++) {
        if (text[at] == '"') quoted = !quoted;
        if (!quoted && (text[at] == '#' || isspace((unsigned char)text[at]))) break;
      }
      bench_problem problem;
      bench_parse_error error;
      if (bench_descriptor_parse(text + begin, at - begin, &problem, &error)) {
        snprintf(problem.set, sizeof problem.set, "%s", set);
        if (!bench_problem_list_add(list, &problem)) return SIZE_MAX;
      } else {
        error.column += begin - line_begin;
        bad++;
        report(context, line, &error);
      }
    }
  }
  return bad;
}
