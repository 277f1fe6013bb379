//go:build ((linux && !android) || darwin) && !tandem_nodl

#include "textflag.h"

// int sequence(Sequence *s): C's calling convention, on C's stack. The offsets are those of sequence_unsafe.go.
//
// R19 is the sequence, R20 the step, R21 how often its function may still be called. All are C's callee's to save, as are
// the frame pointer R29 and the return address R30. Eight arguments go in registers, three on the stack.
TEXT sequence(SB), NOSPLIT|NOFRAME, $0
	SUB  $80, RSP
	STP  (R29, R30), 32(RSP)
	STP  (R19, R20), 48(RSP)
	MOVD R21, 64(RSP)
	MOVD R0, R19
	MOVD R0, R20

step:
	MOVD 1928(R19), R1 // at
	MOVD 1920(R19), R2 // n
	CMP  R2, R1
	BHS  done
	MOVD 104(R20), R21 // times

again:
	MOVD 72(R20), R1
	MOVD R1, 0(RSP)
	MOVD 80(R20), R1
	MOVD R1, 8(RSP)
	MOVD 88(R20), R1
	MOVD R1, 16(RSP)
	MOVD 0(R20), R9
	LDP  8(R20), (R0, R1)
	LDP  24(R20), (R2, R3)
	LDP  40(R20), (R4, R5)
	LDP  56(R20), (R6, R7)
	CALL (R9)
	MOVW R0, 112(R20)  // result
	CBNZW R0, done
	MOVD 96(R20), R1   // flag
	CBZ  R1, next
	MOVW (R1), R1
	CBNZW R1, next
	CMP  $1, R21
	BLS  done
	SUB  $1, R21
	B    again

next:
	MOVD 1928(R19), R1
	ADD  $1, R1
	MOVD R1, 1928(R19)
	ADD  $120, R20
	B    step

done:
	LDP  32(RSP), (R29, R30)
	LDP  48(RSP), (R19, R20)
	MOVD 64(RSP), R21
	ADD  $80, RSP
	MOVD ZR, R0
	RET

GLOBL ·sequenceABI0(SB), NOPTR|RODATA, $8
DATA ·sequenceABI0(SB)/8, $sequence(SB)
