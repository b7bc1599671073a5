/* What the figures were measured on and with. */
#include "report.h"

void bench_context_fill(bench_context *context, const char *executable, const bench_options *options)
{
  *context = (bench_context){.threads = options->threads,
                             .dtype = options->dtype,
                             .accuracy = options->accuracy,
                             .onednn_version = bench_onednn_version(),
                             .compiler = BENCH_COMPILER,
                             .build_type = BENCH_BUILD_TYPE,
                             .debug_build = BENCH_DEBUG_BUILD,
                             .executable = executable,
                             .load_known = options->load && bench_load_monitor_works(options->load)};
  cnnblas_system_get_info(&context->system);
}
