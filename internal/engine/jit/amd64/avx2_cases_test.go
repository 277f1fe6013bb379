package amd64_test

import (
	"fmt"

	. "github.com/tandem-go/tandem/internal/engine/jit/amd64"
)

// avx2Cases are forms that AVX2Rows have.
func avx2Cases() []instruction {
	o := Opt{L: L256}
	out := []instruction{
		in("vpermq ymm9, ymm12, 0xd8", func(a *Asm) { a.RRRI(VPERMQI, 9, 0, 12, 0xd8, o) }),
		in("vpermq ymm1, ymm2, 0x4e", func(a *Asm) { a.RRRI(VPERMQI, 1, 0, 2, 0x4e, o) }),
		in("vpgatherdd ymm3, dword ptr [rax+ymm12*1+0], ymm9", func(a *Asm) { a.RRM(VPGATHERDDVEX, 3, 9, AtVector(RAX, 12, 1, 0), o) }),
		in("vpgatherqd xmm3, dword ptr [r9+ymm2*1+64], xmm9", func(a *Asm) { a.RRM(VPGATHERQDVEX, 3, 9, AtVector(R9, 2, 1, 64), o) }),
		in("vpgatherqq ymm13, qword ptr [rdx+ymm2*1+1024], ymm1", func(a *Asm) { a.RRM(VPGATHERQQVEX, 13, 1, AtVector(RDX, 2, 1, 1024), o) }),
	}
	for _, m := range memories {
		for _, r := range []*Row{VPMASKMOVDS, VPMASKMOVQS} {
			out = append(out, in(fmt.Sprintf("%s ymmword ptr %s, ymm9, ymm12", r.Name, m.text), func(a *Asm) { a.RRM(r, 12, 9, m.m, o) }))
		}
	}
	return out
}
