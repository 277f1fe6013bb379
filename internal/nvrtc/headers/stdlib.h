// Part of Tandem: malloc, free and abs on the device are known to the compiler without a header.
#ifndef TANDEM_STDLIB_H
#define TANDEM_STDLIB_H
#include <stddef.h>
#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#endif
