// Part of Tandem: what cuda_runtime.h brings along for device code. Threads, vectors and intrinsics are known to the
// compiler without a header; host functions of the runtime library do not exist in code compiled at run time.
#ifndef TANDEM_CUDA_RUNTIME_H
#define TANDEM_CUDA_RUNTIME_H
#include <stddef.h>
#include <limits.h>
#include <sys/types.h>
#endif
