package lower

import (
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// bar lowers bar, barrier and bar.warp.sync.
func (l *fn) bar(in *check.Instr) bool {
	f := in.Form
	if f.Mod(check.Scope) == "cluster" {
		return false
	}
	b := &ir.Instr{Op: ir.OpBar}
	if f.Op == "bar" || f.Has(check.Aligned) {
		b.Flags = ir.Aligned
	}
	switch f.Mod(check.Mode) {
	case "warp":
		l.effect(&ir.Instr{Op: ir.OpWarpSync, Args: l.values(in.Args)})
		return true
	case "sync":
		b.Sub = uint8(ir.BarSync)
	case "arrive":
		b.Sub = uint8(ir.BarArrive)
	case "red":
		b.As = irType(f.Type(0))
		b.Sub = uint8(map[string]ir.BarKind{"popc": ir.BarRedPopc, "and": ir.BarRedAnd, "or": ir.BarRedOr}[f.Mod(check.Mode2)])
		b.Args = l.values(in.Args[1:])
		l.set(&in.Args[0], l.effect(b, b.As.Value()).Results[0], b.As)
		return true
	default:
		return false
	}
	b.Args = l.values(in.Args)
	l.effect(b)
	return true
}

// mask is the operand that says which lanes take part: the last one of a .sync form. Forms without .sync, of PTX before
// 6.4, have the lanes that are active.
func (l *fn) mask(in *check.Instr) *ir.Value {
	if in.Form.Has(check.Sync) {
		return l.value(&in.Args[len(in.Args)-1])
	}
	return l.effect(&ir.Instr{Op: ir.OpActiveMask, As: ir.B32}, ir.B32).Results[0]
}

var shuffles = map[string]ir.ShuffleMode{"up": ir.ShflUp, "down": ir.ShflDown, "bfly": ir.ShflBfly, "idx": ir.ShflIdx}

func (l *fn) shfl(in *check.Instr) bool {
	s := &ir.Instr{Op: ir.OpShfl, As: ir.B32, Args: l.values(in.Args[1:4])}
	s.Sub = uint8(shuffles[in.Form.Mod(check.Mode)])
	s.Args = append(s.Args, l.mask(in))
	s = l.effect(s, ir.B32, ir.Pred)
	l.pair(&in.Args[0], s.Results[0], ir.B32, s.Results[1])
	return true
}

var votes = map[string]ir.VoteMode{"all": ir.VoteAll, "any": ir.VoteAny, "uni": ir.VoteUni, "ballot": ir.VoteBallot}

func (l *fn) vote(in *check.Instr) bool {
	v := &ir.Instr{Op: ir.OpVote, As: irType(in.Form.Type(0)), Args: []*ir.Value{l.value(&in.Args[1]), l.mask(in)}}
	v.Sub = uint8(votes[in.Form.Mod(check.Mode)])
	l.set(&in.Args[0], l.effect(v, v.As.Value()).Results[0], v.As)
	return true
}

func (l *fn) match(in *check.Instr) bool {
	m := &ir.Instr{Op: ir.OpMatch, As: irType(in.Form.Type(0)), Args: l.values(in.Args[1:])}
	if in.Form.Mod(check.Mode) == "any" {
		l.set(&in.Args[0], l.effect(m, ir.B32).Results[0], ir.B32)
		return true
	}
	m.Sub = 1
	m = l.effect(m, ir.B32, ir.Pred)
	l.pair(&in.Args[0], m.Results[0], ir.B32, m.Results[1])
	return true
}

func (l *fn) activeMask(in *check.Instr) bool {
	a := l.effect(&ir.Instr{Op: ir.OpActiveMask, As: ir.B32}, ir.B32)
	l.set(&in.Args[0], a.Results[0], ir.B32)
	return true
}

func (l *fn) redux(in *check.Instr) bool {
	as := irType(in.Form.Type(0))
	r := &ir.Instr{Op: ir.OpRedux, As: as, Args: l.values(in.Args[1:])}
	if in.Form.Has(check.NaN) {
		r.Flags |= ir.NaN
	}
	if in.Form.Has(check.Abs) {
		r.Args[0] = l.op(ir.OpAbs, as, r.Args[0])
	}
	r.Sub = uint8(atomics[in.Form.Mod(check.Mode)])
	l.set(&in.Args[0], l.effect(r, as.Value()).Results[0], as)
	return true
}

func (l *fn) nanosleep(in *check.Instr) bool {
	l.effect(&ir.Instr{Op: ir.OpNanosleep, Args: l.values(in.Args)})
	return true
}
