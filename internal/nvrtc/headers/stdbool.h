// Part of Tandem: bool is a keyword of C++.
#ifndef TANDEM_STDBOOL_H
#define TANDEM_STDBOOL_H
#define __bool_true_false_are_defined 1
#endif
