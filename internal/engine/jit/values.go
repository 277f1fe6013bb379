//go:build linux && (amd64 || arm64)

package jit

import (
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/ir"
)

// Canonical NaNs (PTX ISA, Floating Point).
const (
	nan32 = 0x7fffffff
	nan64 = 0x7ff8000000000000
)

// place is where, in the frame of a warp that is not running, the value's home begins.
func (v *value) place() int32 {
	switch v.home.kind {
	case inFrame:
		return v.home.slot
	case inGeneral:
		return frameGPR + 8*int32(v.home.reg)
	}
	switch v.class {
	case scalar, flag:
		return frameGPR + 8*int32(v.home.reg)
	case mask:
		return frameMasks + 8*int32(v.home.reg)
	}
	return frameZMM + 64*int32(v.home.reg)
}

// maskStep is the distance of the two halves of a mask.
func (v *value) maskStep() int32 {
	if v.home.kind != inRegister {
		return 2
	}
	return 8
}

// read gives the lanes of a value. Those of lanes that do not hold it are undefined.
func (b *running) read(w *warp, v *ir.Value, to *ops.Lanes) {
	x := &b.program.plan.vals[v.ID]
	keep := ^uint64(0) >> (64 - v.Type.Bits())
	if x.class == constant {
		for l := range to {
			to[l] = x.imm
		}
		return
	}
	if x.class == indexed {
		b.readIndexed(w, b.program.plan.indexes[v.ID], to)
		return
	}
	if x.class == unused || x.home.kind == nowhere {
		*to = ops.Lanes{}
		return
	}
	at := w.frame[x.place():]
	switch x.class {
	case scalar, flag:
		base := le.Uint64(at)
		for l := range to {
			to[l] = (base + uint64(x.offset(l))) & keep
		}
	case twin:
		for l := range to {
			to[l] = (le.Uint64(at[l/16*8:]) + uint64(x.offset(l))) & keep
		}
	case mask:
		all := uint32(le.Uint16(at)) | uint32(le.Uint16(at[x.maskStep():]))<<16
		for l := range to {
			to[l] = uint64(all >> l & 1)
		}
	default:
		for l := range to {
			i := l
			switch x.class {
			case splat:
				i = 0
			case repeated:
				i = l % 16
			}
			if x.wide() {
				to[l] = le.Uint64(at[8*i:])
			} else {
				to[l] = uint64(le.Uint32(at[4*i:])) & keep
			}
		}
	}
	if x.nan {
		canonicalLanes(x, to)
	}
}

func canonicalLanes(x *value, to *ops.Lanes) {
	for l, v := range to {
		switch {
		case x.wide() && v&^(1<<63) > 0x7ff<<52:
			to[l] = nan64
		case !x.wide() && v&^(1<<31) > 0xff<<23:
			to[l] = nan32
		}
	}
}

// write gives the lanes of mask their values.
func (b *running) write(w *warp, v *ir.Value, from *ops.Lanes, lanes uint32) {
	x := &b.program.plan.vals[v.ID]
	if x.class == unused || x.home.kind == nowhere || lanes == 0 {
		return
	}
	at := w.frame[x.place():]
	first := from[bits.TrailingZeros32(lanes)]
	switch x.class {
	case scalar, flag:
		le.PutUint64(at, first)
	case mask:
		for half := range int32(2) {
			h := at[half*x.maskStep():]
			m := le.Uint16(h)
			for i := range 16 {
				if l := int(half)*16 + i; lanes>>l&1 != 0 {
					m = m&^(1<<i) | uint16(from[l]&1)<<i
				}
			}
			le.PutUint16(h, m)
		}
	default:
		for l := range engine.WarpSize {
			val := from[l]
			if x.class == splat {
				if l*v.Type.Bytes() >= 64 {
					break
				}
				val = first
			} else if lanes>>l&1 == 0 {
				continue
			}
			switch {
			case x.wide():
				le.PutUint64(at[8*l:], val)
			case x.class == repeated:
				le.PutUint32(at[4*(l%16):], uint32(val))
			default:
				le.PutUint32(at[4*l:], uint32(val))
			}
		}
	}
}
