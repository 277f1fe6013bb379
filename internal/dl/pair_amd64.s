//go:build ((linux && !android) || darwin) && !tandem_nodl

#include "textflag.h"

// int pair(Pair *p): C's calling convention, on C's stack. The offsets are those of pair_unsafe.go.
//
// BX is the pair, C's callee's to save. On entry SP is 8 off a multiple of 16, which two pushes and the five arguments that
// go on the stack make up for.
TEXT pair(SB), NOSPLIT|NOFRAME, $0
	PUSHQ BP
	PUSHQ BX
	SUBQ  $40, SP
	MOVQ  DI, BX
	MOVQ  8(BX), DI
	MOVQ  0(BX), R10
	XORL  AX, AX
	CALL  R10
	MOVL  AX, 112(BX)
	TESTL AX, AX
	JNZ   done
	MOVL  $1, 116(BX)
	MOVQ  72(BX), AX
	MOVQ  AX, 0(SP)
	MOVQ  80(BX), AX
	MOVQ  AX, 8(SP)
	MOVQ  88(BX), AX
	MOVQ  AX, 16(SP)
	MOVQ  96(BX), AX
	MOVQ  AX, 24(SP)
	MOVQ  104(BX), AX
	MOVQ  AX, 32(SP)
	MOVQ  24(BX), DI
	MOVQ  32(BX), SI
	MOVQ  40(BX), DX
	MOVQ  48(BX), CX
	MOVQ  56(BX), R8
	MOVQ  64(BX), R9
	MOVQ  16(BX), R10
	XORL  AX, AX
	CALL  R10
	MOVL  AX, 112(BX)

done:
	ADDQ $40, SP
	POPQ BX
	POPQ BP
	XORL AX, AX
	RET

GLOBL ·pairABI0(SB), NOPTR|RODATA, $8
DATA ·pairABI0(SB)/8, $pair(SB)
