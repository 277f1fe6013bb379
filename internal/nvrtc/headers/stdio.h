// Part of Tandem: printf on the device is known to the compiler without a header.
#ifndef TANDEM_STDIO_H
#define TANDEM_STDIO_H
#include <stddef.h>
#define EOF (-1)
#endif
