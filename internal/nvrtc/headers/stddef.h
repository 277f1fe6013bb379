// Part of Tandem: sizes, differences and the null pointer, for code compiled at run time.
#ifndef TANDEM_STDDEF_H
#define TANDEM_STDDEF_H
// size_t is known to the compiler.
#ifdef _WIN32
typedef long long ptrdiff_t;
#else
typedef long ptrdiff_t;
#endif
#ifndef NULL
#define NULL 0
#endif
#ifndef offsetof
#define offsetof(type, member) ((size_t)__INTADDR__(&((type *)0)->member))
#endif
#endif
