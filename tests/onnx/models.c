/*
 * Real models with outputs that another runtime gave: each output is within 1e-5 of its largest value.
 *
 * usage: onnx_models [FOLDER]     default: $CNNBLAS_ONNX_MODELS; each MODEL/model.onnx in it, with MODEL/test_data_set_I
 *
 * 77: there is no such folder.
 */
#include "compare.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static double worst;

static bool within(const cnnblas_onnx_array *got, const cnnblas_onnx_array *wanted, char *why, size_t size)
{
  double largest = compare_largest(got, wanted);
  if (largest > worst) worst = largest;
  snprintf(why, size, "differs by %.3g of its largest value", largest);
  return largest <= 1e-5;
}

static bool run_model(const char *root, const char *name)
{
  char path[600], why[600] = "";
  cnnblas_onnx *model = NULL;
  snprintf(path, sizeof path, "%s/%s/model.onnx", root, name);
  bool fine = !cnnblas_onnx_load(path, NULL, &model);
  if (!fine) snprintf(why, sizeof why, "%s", cnnblas_last_error());
  worst = 0;
  for (int set = 0; fine; set++) {
    snprintf(path, sizeof path, "%s/%s/test_data_set_%d", root, name, set);
    if (access(path, F_OK)) break;
    fine = compare_folder(model, path, within, why, sizeof why);
  }
  if (fine)
    printf("%s: within %.2g of the largest value\n", name, worst);
  else
    printf("FAILED %s: %s\n", name, why);
  cnnblas_onnx_destroy(model);
  return fine;
}

int main(int argc, char **argv)
{
  const char *root = argc > 1 ? argv[1] : getenv("CNNBLAS_ONNX_MODELS");
  DIR *folder = root && *root ? opendir(root) : NULL;
  if (!folder) {
    printf("skipped: CNNBLAS_ONNX_MODELS names no folder of models\n");
    return 77;
  }
  bool fine = true;
  for (struct dirent *entry; (entry = readdir(folder));) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s/model.onnx", root, entry->d_name);
    if (entry->d_name[0] != '.' && !access(path, F_OK)) fine = run_model(root, entry->d_name) && fine;
  }
  closedir(folder);
  return !fine;
}
