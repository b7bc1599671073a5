/* A network's notation in lines; see notation_lines.h. */
#include "notation_lines.h"
#include "command.h"
#include "io/system.h"
#include <stdio.h>
#include <string.h>

enum { WIDTH = 110 /* characters of a line */ };

/* The number of characters of text's first line, which ends at a blank. */
static int line_length(const char *text)
{
  int length = (int)strnlen(text, WIDTH + 1);
  if (length <= WIDTH) return length;
  for (length = WIDTH; length > 0 && text[length] != ' ';) length--;
  return length ? length : WIDTH;
}

void notation_print(const cnnblas_net *net, const char *given)
{
  const char *text = cnnblas_net_text(net);
  if (!strcmp(text, given)) return;
  for (int length; *text; text += length + (text[length] == ' ')) {
    length = line_length(text);
    printf("%.*s\n", length, text);
  }
  putchar('\n');
}

static void explain(const char *given, const char *text, int column)
{
  command_fail(COMMAND_FINE, "columns count in what %s stands for:", given);
  for (int length, at = 0; text[at]; at += length + (text[at + length] == ' ')) {
    length = line_length(text + at);
    command_fail(COMMAND_FINE, "%.*s", length, text + at);
    if (column > at && column <= at + length) command_fail(COMMAND_FINE, "%*s", column - at, "^");
  }
}

void notation_explain(const char *given, const cnnblas_net_options *options)
{
  int column;
  size_t needed;
  if (sscanf(cnnblas_last_error(), "column %d:", &column) != 1) return;
  if (cnnblas_net_expand(given, options, NULL, 0, &needed)) return;
  char *text = io_alloc(needed);
  if (!text) return;
  if (!cnnblas_net_expand(given, options, text, needed, NULL) && strcmp(text, given) != 0) explain(given, text, column);
  io_free(text);
}
