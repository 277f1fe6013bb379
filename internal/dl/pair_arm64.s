//go:build ((linux && !android) || darwin) && !tandem_nodl

#include "textflag.h"

// int pair(Pair *p): C's calling convention, on C's stack. The offsets are those of pair_unsafe.go.
//
// R19 is the pair, C's callee's to save, as are R29 and R30. Eight arguments go in registers, three on the stack.
TEXT pair(SB), NOSPLIT|NOFRAME, $0
	SUB  $64, RSP
	STP  (R29, R30), 32(RSP)
	MOVD R19, 48(RSP)
	MOVD R0, R19
	MOVD 0(R19), R9
	MOVD 8(R19), R0
	CALL (R9)
	MOVW R0, 112(R19)
	CBNZW R0, done
	MOVD $1, R1
	MOVW R1, 116(R19)
	MOVD 88(R19), R1
	MOVD R1, 0(RSP)
	MOVD 96(R19), R1
	MOVD R1, 8(RSP)
	MOVD 104(R19), R1
	MOVD R1, 16(RSP)
	MOVD 16(R19), R9
	LDP  24(R19), (R0, R1)
	LDP  40(R19), (R2, R3)
	LDP  56(R19), (R4, R5)
	LDP  72(R19), (R6, R7)
	CALL (R9)
	MOVW R0, 112(R19)

done:
	LDP  32(RSP), (R29, R30)
	MOVD 48(RSP), R19
	ADD  $64, RSP
	MOVD ZR, R0
	RET

GLOBL ·pairABI0(SB), NOPTR|RODATA, $8
DATA ·pairABI0(SB)/8, $pair(SB)
