/* The command line of `cnnblas train`; see train_options.h. A row of the table is an option. */
#include "train_options.h"
#include "command.h"
#include "plots.h"
#include "ranks.h"
#include "train_help.h"
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- options with a grammar of their own ---- */

static int read_lr_steps(const char *text, train_options *o)
{
  if (!settings_parse_lr_steps(text, &o->settings.lr_steps)) return COMMAND_FINE;
  return command_bad_value("lr-step", text, "it must be EPOCH:FACTOR,..., epochs counted from 1, at most %d of them",
                           SETTINGS_MOST_STEPS);
}

static int read_seed(const char *text, train_options *o)
{
  char *end;
  errno = 0;
  o->settings.seed = strtoull(text, &end, 10);
  if (end != text && !*end && text[0] != '-' && !errno) return COMMAND_FINE;
  return command_bad_value("seed", text, "it must be a whole number of at least 0 and below 2^64");
}

static int read_augment(const char *text, train_options *o)
{
  if (augment_parse(text, &o->settings.augment)) return COMMAND_FINE;
  return command_bad_value(
      "augment", text, "it is none, or some of flip, crop:N and cutout:N with commas between, N to %d", AUGMENT_MOST);
}

static int read_segments(const char *text, train_options *o)
{
  int status = command_integer("segments", text, 1, 1024, &o->settings.segments);
  if (status || !(o->settings.segments & (o->settings.segments - 1))) return status;
  return command_bad_value("segments", text, "it must be a power of two");
}

static int read_input(const char *text, train_options *o)
{
  return command_input("input", text, &o->form.c, o->form.size);
}

static int read_plot(const char *text, train_options *o)
{
  o->plot = text;
  return plots_check("plot", text);
}

/* ---- the table ---- */

typedef enum { TEXT, FLAG, INTEGER, NUMBER, CHOICE, OWN } option_kind;

typedef struct {
  const char *name;
  option_kind kind;
  size_t at, bytes;   /* of the field in train_options */
  double least, most; /* of an INTEGER; of a NUMBER it is below most */
  const char *const *names;
  int (*read)(const char *text, train_options *o);
  enum {
    ALWAYS,
    CHANGES,
    FIXED
  } resume; /* whether --resume takes it: as it is, in place of the checkpoint's, or not */
} option_row;

#define FIELD(field) offsetof(train_options, field), sizeof(((train_options *)0)->field)
static const char *const progress_names[] = {"auto", "always", "never", NULL};

static const option_row rows[] = {
    {"data", TEXT, FIELD(data), 0, 0, NULL, NULL, ALWAYS},
    {"input", OWN, FIELD(form.c), 0, 0, NULL, read_input, FIXED},
    {"transpose", FLAG, FIELD(form.transpose), 0, 0, NULL, NULL, ALWAYS},
    {"label-offset", INTEGER, FIELD(form.label_offset), INT32_MIN, INT32_MAX, NULL, NULL, ALWAYS},
    {"net", TEXT, FIELD(net), 0, 0, NULL, NULL, FIXED},
    {"init-from", TEXT, FIELD(init_from), 0, 0, NULL, NULL, FIXED},
    {"epochs", INTEGER, FIELD(settings.epochs), 1, SETTINGS_MOST_EPOCHS, NULL, NULL, CHANGES},
    {"batch", INTEGER, FIELD(settings.batch), 1, 1 << 24, NULL, NULL, FIXED},
    {"segments", OWN, FIELD(settings.segments), 0, 0, NULL, read_segments, FIXED},
    {"augment", OWN, FIELD(settings.augment), 0, 0, NULL, read_augment, CHANGES},
    {"validation", NUMBER, FIELD(settings.validation), 0, 1, NULL, NULL, FIXED},
    {"keep", CHOICE, FIELD(settings.keep), 0, 0, settings_keep_names, NULL, FIXED},
    {"patience", INTEGER, FIELD(settings.patience), 0, SETTINGS_MOST_EPOCHS, NULL, NULL, CHANGES},
    {"optimiser", CHOICE, FIELD(settings.optimiser), 0, 0, settings_optimiser_names, NULL, FIXED},
    {"schedule", CHOICE, FIELD(settings.schedule), 0, 0, settings_schedule_names, NULL, CHANGES},
    {"warm-up", INTEGER, FIELD(settings.warm_up), 0, SETTINGS_MOST_EPOCHS, NULL, NULL, CHANGES},
    {"clip", NUMBER, FIELD(settings.clip), 0, HUGE_VAL, NULL, NULL, CHANGES},
    {"ema", NUMBER, FIELD(settings.average), 0, 1, NULL, NULL, FIXED},
    {"label-smoothing", NUMBER, FIELD(settings.smoothing), 0, 1, NULL, NULL, CHANGES},
    {"lr", NUMBER, FIELD(settings.lr), 0, HUGE_VAL, NULL, NULL, CHANGES},
    {"lr-step", OWN, FIELD(settings.lr_steps), 0, 0, NULL, read_lr_steps, CHANGES},
    {"momentum", NUMBER, FIELD(settings.momentum), 0, 1, NULL, NULL, CHANGES},
    {"weight-decay", NUMBER, FIELD(settings.weight_decay), 0, HUGE_VAL, NULL, NULL, CHANGES},
    {"init", CHOICE, FIELD(settings.init), 0, 0, settings_init_names, NULL, FIXED},
    {"loss", CHOICE, FIELD(loss), 0, 0, settings_loss_names, NULL, FIXED},
    {"dtype", CHOICE, FIELD(dtype), 0, 0, settings_dtype_names, NULL, FIXED},
    {"accuracy", CHOICE, FIELD(settings.accuracy), 0, 0, settings_accuracy_names, NULL, FIXED},
    {"seed", OWN, FIELD(settings.seed), 0, 0, NULL, read_seed, FIXED},
    {"threads", INTEGER, FIELD(threads), 1, 4096, NULL, NULL, ALWAYS},
    {"out", TEXT, FIELD(out), 0, 0, NULL, NULL, ALWAYS},
    {"checkpoint", TEXT, FIELD(checkpoint), 0, 0, NULL, NULL, ALWAYS},
    {"no-checkpoint", FLAG, FIELD(no_checkpoint), 0, 0, NULL, NULL, ALWAYS},
    {"resume", TEXT, FIELD(resume), 0, 0, NULL, NULL, ALWAYS},
    {"history", TEXT, FIELD(history), 0, 0, NULL, NULL, ALWAYS},
    {"plot", OWN, FIELD(plot), 0, 0, NULL, read_plot, ALWAYS},
    {"json", TEXT, FIELD(json), 0, 0, NULL, NULL, ALWAYS},
    {"progress", CHOICE, FIELD(progress), 0, 0, progress_names, NULL, ALWAYS},
    {"quiet", FLAG, FIELD(quiet), 0, 0, NULL, NULL, ALWAYS},
};
enum { ROWS = sizeof rows / sizeof *rows, FIRST = 256 /* what getopt_long gives for the first row */ };
_Static_assert(sizeof rows / sizeof *rows <= (size_t)TRAIN_OPTIONS_MOST,
               "train_options.given has a place for every row");

static int read_row(train_options *o, int at, const char *text)
{
  const option_row *r = &rows[at];
  void *field = (char *)o + r->at;
  int64_t integer = 0;
  int choice = 0, status = COMMAND_FINE;
  double number = 0;
  o->given[at] = true;
  switch (r->kind) {
  case TEXT:
    memcpy(field, &text, sizeof text);
    break;
  case FLAG:
    *(bool *)field = true;
    break;
  case INTEGER:
    status = command_integer(r->name, text, (int64_t)r->least, (int64_t)r->most, &integer);
    memcpy(field, &integer, sizeof integer);
    break;
  case NUMBER:
    status = command_number(r->name, text, r->least, r->most, &number);
    memcpy(field, &number, sizeof number);
    break;
  case CHOICE:
    status = command_choice(r->name, text, r->names, &choice);
    memcpy(field, &choice, sizeof choice);
    break;
  default:
    status = r->read(text, o);
    break;
  }
  return status;
}

/* What getopt_long reads, made of the table. */
static void make_long_options(struct option options[ROWS + 3])
{
  memset(options, 0, (ROWS + 3) * sizeof *options);
  for (int i = 0; i < ROWS; i++)
    options[i] = (struct option){rows[i].name, rows[i].kind == FLAG ? no_argument : required_argument, NULL, FIRST + i};
  options[ROWS] = (struct option){"help", no_argument, NULL, COMMAND_HELP};
  options[ROWS + 1] = (struct option){"version", no_argument, NULL, COMMAND_VERSION};
}

/* Whether the command line has the option of this name. */
static bool is_given(const train_options *o, const char *name)
{
  for (int i = 0; i < ROWS; i++)
    if (!strcmp(rows[i].name, name)) return o->given[i];
  return false;
}

/* Options that another one makes meaningless. */
static int check_meaning(const train_options *o)
{
  const train_settings *g = &o->settings;
  if (g->lr_steps.count && is_given(o, "schedule") && g->schedule != CNNBLAS_NET_LR_STEPS)
    return command_fail(COMMAND_USAGE, "--lr-step is for --schedule step, which is the default");
  if (is_given(o, "momentum") && is_given(o, "optimiser") && g->optimiser == CNNBLAS_NET_ADAMW)
    return command_fail(COMMAND_USAGE, "--momentum is for sgd and nesterov, not for adamw");
  if (!o->resume && g->warm_up >= g->epochs && g->warm_up)
    return command_fail(COMMAND_USAGE, "--warm-up %lld: the run has %lld epochs", (long long)g->warm_up,
                        (long long)g->epochs);
  return COMMAND_FINE;
}

/* Options that exclude each other, and what follows from some. */
static int check(train_options *o)
{
  for (int i = 0; i < ROWS; i++)
    if (o->resume && o->given[i] && rows[i].resume == FIXED)
      return command_fail(COMMAND_USAGE, "--%s cannot be given with --resume: the checkpoint has it", rows[i].name);
  if (o->checkpoint && o->no_checkpoint)
    return command_fail(COMMAND_USAGE, "--checkpoint and --no-checkpoint exclude each other");
  if (o->settings.smoothing > 0 && o->loss != CNNBLAS_NET_SOFTMAX)
    return command_fail(COMMAND_USAGE, "--label-smoothing is for the softmax's loss");
  int status = check_meaning(o);
  if (status) return status;
  if (!is_given(o, "keep") && o->settings.validation > 0) o->settings.keep = KEEP_BEST;
  if (command_only_json(o->json)) o->quiet = true;
  return COMMAND_FINE;
}

int train_options_read(int argc, char **argv, train_options *o, bool *done)
{
  int status = COMMAND_FINE;
  struct option long_options[ROWS + 3];
  make_long_options(long_options);
  *o = (train_options){
      .settings = {
          .seed = 1, .batch = 64, .epochs = 8, .segments = ranks_started() ? 16 : 1, .lr = 0.05, .momentum = 0.9}};
  *done = false;
  for (int option;
       !status && !*done && (option = getopt_long(argc, argv, "q" COMMAND_SHORT_OPTIONS, long_options, NULL)) != -1;) {
    if (option == 'q')
      o->quiet = true;
    else
      status = option >= FIRST ? read_row(o, option - FIRST, optarg) : command_other(option, train_help, done);
  }
  if (status || *done) return status;
  status = check(o);
  return status ? status : command_no_operands(argc, argv);
}

void train_options_change(const train_options *o, train_settings *settings)
{
  const size_t begin = offsetof(train_options, settings);
  for (int i = 0; i < ROWS; i++)
    if (o->given[i] && rows[i].resume == CHANGES)
      memcpy((char *)settings + (rows[i].at - begin), (const char *)o + rows[i].at, rows[i].bytes);
}
