#include "textflag.h"

// func call(code, frame, area uint64) uint64
//
// Compiled code is a leaf: it does not move SP, and leaves R18, R28, R29 and R30 alone.
TEXT ·call(SB), NOSPLIT, $16-32
	MOVD code+0(FP), R2
	MOVD frame+8(FP), R0
	MOVD area+16(FP), R1
	CALL (R2)
	MOVD R0, ret+24(FP)
	RET
