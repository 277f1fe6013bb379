// Part of Tandem: the string functions that kernels use. memcpy and memset are known to the compiler without a header.
#ifndef TANDEM_STRING_H
#define TANDEM_STRING_H
#include <stddef.h>

static __device__ inline size_t strlen(const char *s) {
    size_t n = 0;
    while (s[n]) n++;
    return n;
}

static __device__ inline int strncmp(const char *a, const char *b, size_t n) {
    for (; n; n--, a++, b++) {
        int d = (int)(unsigned char)*a - (int)(unsigned char)*b;
        if (d || !*a) return d;
    }
    return 0;
}

static __device__ inline int strcmp(const char *a, const char *b) { return strncmp(a, b, (size_t)-1); }

static __device__ inline char *strcpy(char *to, const char *from) {
    char *p = to;
    while ((*p++ = *from++)) {}
    return to;
}

static __device__ inline char *strncpy(char *to, const char *from, size_t n) {
    size_t i = 0;
    for (; i < n && from[i]; i++) to[i] = from[i];
    for (; i < n; i++) to[i] = 0;
    return to;
}

static __device__ inline int memcmp(const void *a, const void *b, size_t n) {
    const unsigned char *p = (const unsigned char *)a, *q = (const unsigned char *)b;
    for (; n; n--, p++, q++)
        if (*p != *q) return (int)*p - (int)*q;
    return 0;
}

static __device__ inline void *memmove(void *to, const void *from, size_t n) {
    unsigned char *t = (unsigned char *)to;
    const unsigned char *f = (const unsigned char *)from;
    if (t < f)
        for (size_t i = 0; i < n; i++) t[i] = f[i];
    else
        while (n--) t[n] = f[n];
    return to;
}
#endif
