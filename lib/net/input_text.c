/* The INPUT that a network's text begins with; see input_text.h. */
#include "net/input_text.h"
#include "base/shared.h"
#include "net/text.h"
#include <stdio.h>
#include <string.h>

enum { LONGEST_INPUT = 100 };

char *cb_text_with_input(const char *text, int rank, int64_t c, const int64_t *size)
{
  cb_net_text t = {.text = text};
  int64_t old[4];
  int count = 0;
  cb_text_word(&t, "input");
  if (cb_text_digit(&t)) cb_text_numbers(&t, 1, 4, "a number: the input's size", old, &count);
  size_t bytes = strlen(text) + LONGEST_INPUT;
  char *made = cnnblas_shared_alloc(bytes, 0);
  if (!made) return NULL;
  int used = snprintf(made, bytes, "INPUT %lld", (long long)c);
  for (int i = 0; i < rank; i++) used += snprintf(made + used, bytes - (size_t)used, "x%lld", (long long)size[i]);
  snprintf(made + used, bytes - (size_t)used, " %s", text + t.at);
  return made;
}
