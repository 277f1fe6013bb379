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

// func synchronise(addr, n uint64)
//
// Lines of the caches are 16 bytes or more.
TEXT ·synchronise(SB), NOSPLIT, $0-16
	MOVD addr+0(FP), R0
	MOVD n+8(FP), R1
	ADD  R0, R1, R1
	MOVD R0, R2

clean:
	WORD $0xd50b7b22 // dc cvau, x2
	ADD  $16, R2
	CMP  R1, R2
	BLO  clean
	WORD $0xd5033b9f // dsb ish
	MOVD R0, R2

invalidate:
	WORD $0xd50b7522 // ic ivau, x2
	ADD  $16, R2
	CMP  R1, R2
	BLO  invalidate
	WORD $0xd5033b9f // dsb ish
	WORD $0xd5033fdf // isb
	RET
