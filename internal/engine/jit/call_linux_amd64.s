#include "textflag.h"

// func call(code, frame, area uint64) uint64
//
// Compiled code is a leaf: it does not move SP, and leaves BP and R14 alone. It ends with VZEROUPPER.
TEXT ·call(SB), NOSPLIT, $8-32
	MOVQ code+0(FP), AX
	MOVQ frame+8(FP), DI
	MOVQ area+16(FP), SI
	CALL AX
	MOVQ AX, ret+24(FP)
	RET
