/* What the subcommands share: exit statuses, messages, options' values. */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include "io/error.h"
#include <cnnblas/net.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

enum {
  COMMAND_FINE = 0,
  COMMAND_CHECK_FAILED = 1, /* training met NaN */
  COMMAND_USAGE = 2,
  COMMAND_BAD_INPUT = 3,  /* = IO_BAD_INPUT */
  COMMAND_NO_ROOM = 4,    /* = IO_NO_ROOM */
  COMMAND_RANK = 5,       /* a rank of an mpirun is gone, or MPI has failed */
  COMMAND_SIGNALLED = 128 /* and the signal's number */
};

/* One subcommand; argv[0] is its name. The functions return an exit status. */
int command_train(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_predict(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_run(int argc, char **argv);
int command_info(int argc, char **argv);

/* What begins every message: "cnnblas train". Set by main. */
extern char command_name[32];

/* The argv that the subcommand reads. Set by main. */
extern char **command_words;

/* "cnnblas train: ..." on stderr; returns status. */
int command_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts ? in the place of characters that would control a terminal; returns text. Messages of failures have none. */
char *command_plain(char *text);

/* While on, messages of failures are kept, the first and the hints behind it, and nothing is printed. */
void command_hold(bool on);

/* Prints what was kept, in front of it "rank 3: " or, for a rank below 0, nothing; or forgets it. */
void command_say_held(int rank);
void command_drop_held(void);

/* The same with the library's last error behind `what` ("--net"; NULL for none). COMMAND_NO_ROOM where memory lacks,
   COMMAND_CHECK_FAILED for NaN, `status` otherwise. */
int command_fail_library(cnnblas_status why, int status, const char *what);

/* Usage: an option's value is wrong: "--epochs x: it must be ...". */
int command_bad_value(const char *option, const char *value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Values of options: 0, or COMMAND_USAGE with a message. `what` of a choice: "he, small or zero". */
int command_integer(const char *option, const char *text, int64_t least, int64_t most, int64_t *value);
int command_number(const char *option, const char *text, double least, double below, double *value);
int command_choice(const char *option, const char *text, const char *const *names, int *value);

/* "3x32x32": channels and 0 to 3 sizes; the rest 0. */
int command_input(const char *option, const char *text, int64_t *c, int64_t size[3]);

/* What every subcommand does with getopt_long's answers that are not its own options: --help and --version print and set
   *done with status 0; anything else is a usage error. */
enum { COMMAND_HELP = 'h', COMMAND_VERSION = 'V' };
#define COMMAND_SHORT_OPTIONS "hV"
int command_other(int option, const char *help, bool *done);

/* No operands were expected, but argv has one. */
int command_no_operands(int argc, char **argv);

/* Whether --json was given as "-": standard output then holds the JSON alone. */
bool command_only_json(const char *json);

/* Whether command_write_json could write to --json's value; NULL and "-" are fine. For before the work. */
int command_check_json(const char *path);

/* Whether the JSON, if one is wanted (NULL: none), can hold a file's name: one that is not UTF-8 is a usage error. NULL is no
   name. For before the work. */
int command_json_can_name(const char *json, const char *name);

/* Writes a JSON document to path, "-" for stdout, or says why not; takes the document. NULL: out of memory. */
struct json_t;
int command_write_json(const char *path, struct json_t *document);

/* "1x28x28" in text; rank 0 to 3 sizes that are not 0. Returns text. */
const char *command_shape(char *text, size_t bytes, int64_t c, const int64_t size[3]);

#endif
