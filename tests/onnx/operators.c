/* The documented table of operators has the library's, no more and no less. usage: onnx_operators FILE.md */
#include <cnnblas/onnx.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[1 << 20];

static bool known(const char *name)
{
  const char *row;
  for (int32_t i = 0; (row = cnnblas_onnx_operator_name(i)); i++)
    if (!strcmp(row, name)) return true;
  return false;
}

int main(int argc, char **argv)
{
  FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
  if (!file) return 2;
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  char *begin = strstr(text, "<!-- operators -->"), *end = begin ? strstr(begin, "<!-- /operators -->") : NULL;
  if (!end) return 2;
  *end = 0;
  int wrong = 0, count = 0;
  const char *row;
  for (; (row = cnnblas_onnx_operator_name(count)); count++) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "`%s`", row);
    if (strstr(begin, quoted)) continue;
    printf("not in the table: %s\n", row);
    wrong++;
  }
  for (char *at = begin; (at = strchr(at, '`')); at++) {
    char *close = strchr(at + 1, '`');
    if (!close) break;
    *close = 0;
    if (!known(at + 1)) {
      printf("in the table, but no operator: %s\n", at + 1);
      wrong++;
    }
    at = close;
  }
  printf("%d operators\n", count);
  return wrong != 0;
}
