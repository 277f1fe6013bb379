package ir

import "fmt"

func ruleConst(_ *Kernel, _ *Func, in *Instr) string {
	if bits := in.As.Bits(); bits < 64 && in.Imm>>bits != 0 {
		return fmt.Sprintf("the constant does not fit into %d bits", bits)
	}
	return ""
}

func ruleSpecial(_ *Kernel, _ *Func, in *Instr) string {
	if in.Index < 0 || in.Index >= int(NumSRegs) {
		return "no such special register"
	}
	if want := SReg(in.Index).Type(); in.As.Value() != want {
		return fmt.Sprintf("special register %s is %s", SReg(in.Index), want)
	}
	return ""
}

func ruleSymbol(k *Kernel, _ *Func, in *Instr) string {
	switch in.Space {
	case SpaceGlobal, SpaceConst:
		if in.Index < 0 || in.Index >= len(k.Globals) {
			return "no such global"
		}
		if g := k.Globals[in.Index]; g.Space != in.Space {
			return fmt.Sprintf("%s lies in space %s", g.Name, g.Space)
		}
	case SpaceShared, SpaceLocal:
		if in.Index != 0 {
			return "only symbols in global and const have an index"
		}
	default:
		return "no variables lie in space " + in.Space.String()
	}
	return ""
}

func ruleFuncAddr(k *Kernel, _ *Func, in *Instr) string {
	if in.Index < 0 || in.Index >= len(k.FuncTable) {
		return "no such entry of the function table"
	}
	return ""
}

func ruleLop3(_ *Kernel, _ *Func, in *Instr) string {
	if in.Imm > 0xff {
		return "the truth table has more than 8 bits"
	}
	return ""
}

func ruleCmp(_ *Kernel, _ *Func, in *Instr) string {
	switch {
	case in.Cmp == 0 || in.Cmp > IsNaN:
		return "no comparison"
	case in.Cmp > Ge && !in.From.Float():
		return "an unordered comparison of integers"
	}
	return ""
}

func rulePack(_ *Kernel, _ *Func, in *Instr) string {
	return pieces(in.As.Bits(), in.Args)
}

func ruleUnpack(_ *Kernel, _ *Func, in *Instr) string {
	return pieces(in.As.Bits(), in.Results)
}

// pieces checks values of equal width that make up bits.
func pieces(bits int, vs []*Value) string {
	n := len(vs)
	if n&(n-1) != 0 || n < 2 {
		return "want 2, 4 or 8 pieces"
	}
	for _, v := range vs {
		if v.Type != vs[0].Type {
			return "pieces of different widths"
		}
	}
	// Four 8-bit pieces come in 16-bit values, as PTX has no narrower registers.
	if vs[0].Type.Bits()*n != bits && !(vs[0].Type == B16 && n*8 == bits) {
		return fmt.Sprintf("%d pieces of %d bits do not make %d bits", n, vs[0].Type.Bits(), bits)
	}
	return ""
}

func ruleLoad(_ *Kernel, _ *Func, in *Instr) string {
	return vector(in.As, in.Results)
}

func ruleStore(_ *Kernel, _ *Func, in *Instr) string {
	if in.Space == SpaceConst || in.Space == SpaceParam {
		return "a store to space " + in.Space.String()
	}
	return vector(in.As, in.Args[1:])
}

// vector checks the values of a load or store.
func vector(as Type, vs []*Value) string {
	n := len(vs)
	if n > 8 || n&(n-1) != 0 {
		return "want 1, 2, 4 or 8 values"
	}
	for _, v := range vs {
		if v.Type.Bits() < as.Bits() || v.Type == Pred {
			return fmt.Sprintf("v%d is narrower than %s", v.ID, as)
		}
	}
	if n*as.Bytes() > 32 {
		return "more than 32 bytes"
	}
	return ""
}

func ruleAtom(_ *Kernel, _ *Func, in *Instr) string {
	want := 2
	if AtomicOp(in.Sub) == AtomCas {
		want = 3
	}
	switch {
	case len(in.Args) != want:
		return fmt.Sprintf("want %d operands", want)
	case in.Op == OpRed && AtomicOp(in.Sub) >= AtomExch:
		return "exch and cas need a result"
	case in.Space == SpaceConst || in.Space == SpaceParam || in.Space == SpaceLocal:
		return "an atomic operation on space " + in.Space.String()
	}
	return ""
}

func ruleBar(_ *Kernel, _ *Func, in *Instr) string {
	last := in.Args[len(in.Args)-1].Type == Pred
	var want Type
	switch BarKind(in.Sub) {
	case BarRedPopc:
		want = B32
	case BarRedAnd, BarRedOr:
		want = Pred
	}
	switch {
	case last != (want != Void):
		return "reductions, and only they, have a predicate"
	case want == Void && len(in.Results) != 0, want == Void && in.As != Void:
		return "only reductions have a result"
	case want != Void && (len(in.Results) != 1 || in.Results[0].Type != want || in.As.Value() != want):
		return "want one result of type " + want.String()
	}
	return ""
}

func ruleVote(_ *Kernel, _ *Func, in *Instr) string {
	if (VoteMode(in.Sub) == VoteBallot) != (in.As != Pred) {
		return "ballot, and only ballot, gives b32"
	}
	return ""
}

func ruleCall(k *Kernel, _ *Func, in *Instr) string {
	if in.Index < 0 || in.Index >= len(k.Funcs) {
		return "no such function"
	}
	g := k.Funcs[in.Index]
	if len(in.Args) != len(g.Params) {
		return fmt.Sprintf("%s has %d parameters", g.Name, len(g.Params))
	}
	for i, p := range g.Params {
		if in.Args[i].Type != p.Type {
			return fmt.Sprintf("parameter %d of %s is %s", i, g.Name, p.Type)
		}
	}
	if len(in.Results) != len(g.Results) {
		return fmt.Sprintf("%s has %d results", g.Name, len(g.Results))
	}
	for i, t := range g.Results {
		if in.Results[i].Type != t {
			return fmt.Sprintf("result %d of %s is %s", i, g.Name, t)
		}
	}
	return ""
}

func ruleRet(_ *Kernel, f *Func, in *Instr) string {
	if len(in.Targets) != 0 {
		return "want no targets"
	}
	if len(in.Args) != len(f.Results) {
		return fmt.Sprintf("%s has %d results", f.Name, len(f.Results))
	}
	for i, t := range f.Results {
		if in.Args[i].Type != t {
			return fmt.Sprintf("result %d of %s is %s", i, f.Name, t)
		}
	}
	return ""
}

func ruleTargets(least, most int) func(*Kernel, *Func, *Instr) string {
	return func(_ *Kernel, _ *Func, in *Instr) string {
		if n := len(in.Targets); n < least || n > most {
			return fmt.Sprintf("%d targets", n)
		}
		return ""
	}
}
