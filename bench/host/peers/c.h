// What the kernels in C use.
#ifndef C_H
#define C_H
#include "job.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define P(type, k) ((type *restrict)j->arg[k].p)
#define I(k) (j->arg[k].i)
#define F(k) (j->arg[k].f)
#define PRAGMA(x) _Pragma(#x)
#define PARALLEL PRAGMA(omp parallel for schedule(static))
#define SIMD PRAGMA(omp simd)

typedef const struct job *job_t;
#endif
