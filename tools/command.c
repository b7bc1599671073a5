/* What the subcommands share; see command.h. */
#include "command.h"
#include "io/file.h"
#include "io/system.h"
#include "reports/json_numbers.h"
#include <cnnblas/version.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char command_name[32] = "cnnblas";
char **command_words;

static bool holding;
static char held[8192]; /* lines, or the empty text: a preset's notation too */

/* Puts a line behind those that are kept. A failure is kept if it is the first, a hint whatever it follows. */
static void hold_line(int status, const char *line)
{
  size_t used = strlen(held);
  if (used && status) return;
  snprintf(held + used, sizeof held - used, "%s\n", line);
}

char *command_plain(char *text)
{
  for (char *c = text; *c; c++) {
    const unsigned char first = (unsigned char)c[0], second = (unsigned char)c[1];
    const bool pair = first == 0xc2 && second >= 0x80 && second < 0xa0; /* U+0080 to U+009F in UTF-8 */
    if (pair) memmove(c + 1, c + 2, strlen(c + 2) + 1);
    if (pair || first < ' ' || first == 127) *c = '?';
  }
  return text;
}

/* The message is cut where there is no memory for all of it. */
int command_fail(int status, const char *format, ...)
{
  char line[sizeof held - 1];
  va_list args;
  va_start(args, format);
  const int length = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  char *whole = !holding && length >= (int)sizeof line ? io_alloc((size_t)length + 1) : NULL;
  if (whole) {
    va_start(args, format);
    vsnprintf(whole, (size_t)length + 1, format, args);
    va_end(args);
  }
  command_plain(whole ? whole : line);
  if (holding)
    hold_line(status, line);
  else
    fprintf(stderr, "%s: %s\n", command_name, whole ? whole : line);
  io_free(whole);
  return status;
}

void command_hold(bool on)
{
  holding = on;
}

void command_say_held(int rank)
{
  char text[sizeof held], before[32] = "";
  char *rest = NULL;
  memcpy(text, held, sizeof text);
  held[0] = 0;
  if (rank >= 0) snprintf(before, sizeof before, "rank %d: ", rank);
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
    fprintf(stderr, "%s: %s%s\n", command_name, before, line);
}

void command_drop_held(void)
{
  held[0] = 0;
}

int command_fail_library(cnnblas_status why, int status, const char *what)
{
  if (why == CNNBLAS_OUT_OF_MEMORY || why == CNNBLAS_SIZE_OVERFLOW) status = COMMAND_NO_ROOM;
  if (why == CNNBLAS_NOT_FINITE) status = COMMAND_CHECK_FAILED;
  return command_fail(status, "%s%s%s", what ? what : "", what ? ": " : "", cnnblas_last_error());
}

int command_bad_value(const char *option, const char *value, const char *format, ...)
{
  char what[200];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  return command_fail(COMMAND_USAGE, "--%s %s: %s", option, value, what);
}

int command_integer(const char *option, const char *text, int64_t least, int64_t most, int64_t *value)
{
  char *end;
  errno = 0;
  *value = strtoll(text, &end, 10);
  if (end != text && !*end && !errno && *value >= least && *value <= most) return 0;
  return command_bad_value(option, text, "it must be a whole number from %lld to %lld", (long long)least,
                           (long long)most);
}

int command_number(const char *option, const char *text, double least, double below, double *value)
{
  char *end;
  *value = strtod(text, &end);
  if (end != text && !*end && *value >= least && *value < below) return 0;
  if (below < HUGE_VAL)
    return command_bad_value(option, text, "it must be a number of at least %g, below %g", least, below);
  return command_bad_value(option, text, "it must be a number of at least %g", least);
}

int command_choice(const char *option, const char *text, const char *const *names, int *value)
{
  char list[160] = "";
  for (*value = 0; names[*value]; (*value)++) {
    if (!strcmp(text, names[*value])) return 0;
    size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", *value ? ", " : "", names[*value]);
  }
  return command_bad_value(option, text, "it is one of %s", list);
}

int command_input(const char *option, const char *text, int64_t *c, int64_t size[3])
{
  int64_t *const places[] = {c, &size[0], &size[1], &size[2]};
  const char *rest = text;
  *c = 0;
  memset(size, 0, 3 * sizeof *size);
  for (int i = 0; i < 4; i++) {
    char *end;
    *places[i] = strtoll(rest, &end, 10);
    if (end == rest || *places[i] < 1 || *places[i] > INT32_MAX) break;
    if (!*end) return COMMAND_FINE;
    if (*end != 'x') break;
    rest = end + 1;
  }
  return command_bad_value(option, text, "it must be channels and sizes, as 1x28x28");
}

/* What getopt_long would have printed of the option that it has just refused. */
static int refuse_option(void)
{
  const char *word = command_words && optind > 0 ? command_words[optind - 1] : "an option";
  if (optopt && strncmp(word, "--", 2) != 0 && optopt <= 127)
    return command_fail(COMMAND_USAGE, "-%c is not an option; --help shows them", optopt);
  if (optopt)
    return command_fail(COMMAND_USAGE, "%s: the option %s; --help shows them", word,
                        strchr(word, '=') ? "takes no value" : "lacks its value");
  return command_fail(COMMAND_USAGE, "%s is not an option, or the beginning of several; --help shows them", word);
}

int command_other(int option, const char *help, bool *done)
{
  if (option == COMMAND_HELP) {
    fputs(help, stdout);
    *done = true;
    return COMMAND_FINE;
  }
  if (option == COMMAND_VERSION) {
    printf("cnnblas %s\n", cnnblas_version_string());
    *done = true;
    return COMMAND_FINE;
  }
  if (holding) return refuse_option();
  fprintf(stderr, "%s --help shows the options\n", command_name); /* as getopt_long's own message */
  return COMMAND_USAGE;
}

int command_no_operands(int argc, char **argv)
{
  if (optind >= argc) return COMMAND_FINE;
  return command_fail(COMMAND_USAGE, "\"%s\" is not an option; --help shows them", argv[optind]);
}

bool command_only_json(const char *json)
{
  return json && !strcmp(json, "-");
}

int command_check_json(const char *path)
{
  io_error error;
  io_status status = path && !command_only_json(path) ? io_can_replace(path, &error) : IO_OK;
  return status ? command_fail((int)status, "%s", error.text) : COMMAND_FINE;
}

int command_json_can_name(const char *json, const char *name)
{
  if (!json || !name) return COMMAND_FINE;
  io_json_begin();
  json_t *text = json_string(name);
  bool fine = text || io_json_lacked_memory();
  json_decref(text);
  return fine ? COMMAND_FINE
              : command_fail(COMMAND_USAGE, "--json: the file name %s is not UTF-8, which text in JSON must be", name);
}

int command_write_json(const char *path, json_t *document)
{
  char *text = document ? json_dumps(document, JSON_INDENT(2)) : NULL;
  int status = COMMAND_FINE;
  io_error error;
  if (!text || io_json_lacked_memory()) {
    status = command_fail(COMMAND_NO_ROOM, "%s: out of memory for the JSON", path);
  } else if (io_json_shorten_numbers(text), !strcmp(path, "-")) {
    puts(text);
  } else {
    io_part parts[] = {{text, strlen(text)}, {"\n", 1}};
    status = (int)io_replace_file(path, parts, 2, &error);
    if (status) command_fail(status, "%s", error.text);
  }
  io_free(text);
  json_decref(document);
  return status;
}

const char *command_shape(char *text, size_t bytes, int64_t c, const int64_t size[3])
{
  int used = snprintf(text, bytes, "%lld", (long long)c);
  for (int i = 0; i < 3 && size[i] && used < (int)bytes; i++)
    used += snprintf(text + used, bytes - (size_t)used, "x%lld", (long long)size[i]);
  return text;
}
