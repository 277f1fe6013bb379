//go:build ((linux && !android) || darwin) && !tandem_nodl

#include "textflag.h"

// int sequence(Sequence *s): C's calling convention, on C's stack. The offsets are those of sequence_unsafe.go.
//
// R12 is the sequence, BX the step, R13 how often its function may still be called. All are C's callee's to save. On entry
// SP is 8 off a multiple of 16, which the five pushes and six places for the arguments from the seventh on make up for.
TEXT sequence(SB), NOSPLIT|NOFRAME, $0
	PUSHQ BP
	PUSHQ BX
	PUSHQ R12
	PUSHQ R13
	PUSHQ R14
	SUBQ  $48, SP
	MOVQ  DI, R12
	MOVQ  DI, BX

step:
	MOVQ 1928(R12), AX // at
	CMPQ AX, 1920(R12) // n
	JAE  done
	MOVQ 104(BX), R13  // times

again:
	MOVQ 8(BX), DI
	MOVQ 16(BX), SI
	MOVQ 24(BX), DX
	MOVQ 32(BX), CX
	MOVQ 40(BX), R8
	MOVQ 48(BX), R9
	MOVQ 56(BX), AX
	MOVQ AX, 0(SP)
	MOVQ 64(BX), AX
	MOVQ AX, 8(SP)
	MOVQ 72(BX), AX
	MOVQ AX, 16(SP)
	MOVQ 80(BX), AX
	MOVQ AX, 24(SP)
	MOVQ 88(BX), AX
	MOVQ AX, 32(SP)
	MOVQ 0(BX), R10
	XORL AX, AX        // to a function with variable arguments: none of them is a float
	CALL R10
	MOVL AX, 112(BX)   // result
	TESTL AX, AX
	JNZ  done
	MOVQ 96(BX), AX    // flag
	TESTQ AX, AX
	JZ   next
	CMPL (AX), $0
	JNE  next
	CMPQ R13, $1
	JBE  done
	DECQ R13
	JMP  again

next:
	INCQ 1928(R12)
	ADDQ $120, BX
	JMP  step

done:
	ADDQ $48, SP
	POPQ R14
	POPQ R13
	POPQ R12
	POPQ BX
	POPQ BP
	XORL AX, AX
	RET

GLOBL ·sequenceABI0(SB), NOPTR|RODATA, $8
DATA ·sequenceABI0(SB)/8, $sequence(SB)
