/* IDX files, plain and gzipped: what is accepted has the elements that its sizes say. */
#include "fuzz.h"
#include "io/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  idx_array array = {0};
  io_error error = {{0}};
  if (idx_parse("input", data, size, &array, &error) == IO_OK) {
    int64_t elements = 1;
    for (int i = 0; i < array.rank; i++) elements *= array.size[i];
    CHECK(elements == array.elements, "%lld, not %lld", (long long)elements, (long long)array.elements);
    double sum = 0;
    for (int64_t i = 0; i < elements; i++) sum += idx_value(&array, i);
    CHECK(sum == sum || array.type == IDX_F32 || array.type == IDX_F64, "integers that are no numbers");
  } else {
    CHECK(error.text[0], "an error without a message");
  }
  idx_free(&array);
  return 0;
}
