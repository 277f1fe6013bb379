// Part of Tandem: the short names of unsigned types that the host's system headers give.
#ifndef TANDEM_SYS_TYPES_H
#define TANDEM_SYS_TYPES_H
#include <stddef.h>
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
#endif
