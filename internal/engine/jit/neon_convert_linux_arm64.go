package jit

import (
	"github.com/tandem-go/tandem/internal/engine/jit/arm64"
	"github.com/tandem-go/tandem/internal/ir"
)

// Conversions between types of lanes.

func (a *neonCode) integral(mode ir.Round, d, x vec) {
	r := map[ir.Round]*arm64.Row{ir.RN: arm64.FRINTN4S, ir.RM: arm64.FRINTM4S, ir.RP: arm64.FRINTP4S, ir.RZ: arm64.FRINTZ4S}[mode]
	for h := range 2 {
		a.VV(r, q(d, h), q(x, h))
	}
}

func (a *neonCode) toInteger(signed bool, d, x vec) {
	r := arm64.FCVTZU4S
	if signed {
		r = arm64.FCVTZS4S
	}
	for h := range 2 {
		a.VV(r, q(d, h), q(x, h))
	}
}

func (a *neonCode) widen(d vec, x source, half int, signed bool) {
	lo, hi := arm64.USHLL2D, arm64.USHLL2D2
	if signed {
		lo, hi = arm64.SSHLL2D, arm64.SSHLL2D2
	}
	n := a.half(x, half)
	if n == q(d, 0) { // its upper half is read last
		a.VVV(arm64.VORR, qs2, n, n)
		n = qs2
	}
	a.Shift(lo, q(d, 0), n, 0)
	a.Shift(hi, q(d, 1), n, 0)
}

func (a *neonCode) narrow(d, lo, hi vec) {
	for h, s := range []vec{lo, hi} {
		a.VV(arm64.XTN2S, qs2+arm64.VReg(h), q(s, 0))
		a.VV(arm64.XTN4S, qs2+arm64.VReg(h), q(s, 1))
	}
	a.VVV(arm64.VORR, q(d, 0), qs2, qs2)
	a.VVV(arm64.VORR, q(d, 1), qs3, qs3)
}

func (a *neonCode) toDouble(d vec, x source, half int) {
	n := a.half(x, half)
	a.VVV(arm64.VORR, qs2, n, n)
	a.VV(arm64.FCVTL2D, q(d, 0), qs2)
	a.VV(arm64.FCVTL2D2, q(d, 1), qs2)
}

func (a *neonCode) toHalfWidth(d, lo, hi vec) {
	for h, s := range []vec{lo, hi} {
		a.VV(arm64.FCVTN2S, qs2+arm64.VReg(h), q(s, 0))
		a.VV(arm64.FCVTN4S, qs2+arm64.VReg(h), q(s, 1))
	}
	a.VVV(arm64.VORR, q(d, 0), qs2, qs2)
	a.VVV(arm64.VORR, q(d, 1), qs3, qs3)
}

func (a *neonCode) fromHalf(d, x vec) {
	for h := range 2 {
		a.VV(arm64.XTN4H, qs2, q(x, h))
		a.VV(arm64.FCVTL4S, q(d, h), qs2)
	}
}

func (a *neonCode) toHalf(d, x vec) {
	for h := range 2 {
		a.VV(arm64.FCVTN4H, qs2, q(x, h))
		a.Shift(arm64.USHLL4S, q(d, h), qs2, 0)
	}
}
