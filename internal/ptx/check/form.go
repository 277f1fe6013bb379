package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tandem-go/tandem/internal/ptx"
)

// Slot is what a modifier is about. An instruction has at most one modifier in each slot, types and spaces apart.
type Slot uint8

// The slots. Flags, such as FTZ, have one possible value: their own name.
const (
	Round    Slot = iota // rn rz rm rp, for integers rni rzi rmi rpi; rna, rs
	FTZ                  // ftz
	Sat                  // sat, satfinite
	Approx               // approx, full
	Relu                 // relu
	NaN                  // NaN
	XorSign              // xorsign
	Abs                  // abs
	NoFTZ                // noftz
	OOB                  // oob
	CC                   // cc
	Mode                 // what kind of the operation: hi lo wide; l r; up down bfly idx; all any uni ballot; add, min, ...
	Mode2                // a second such: clamp wrap; trap clamp zero; mma, load, store; ...
	Mode3                // a third
	Cmp                  // comparison
	Bool                 // and or xor popc, of predicates
	Uni                  // uni
	Sync                 // sync
	Aligned              // aligned
	Sem                  // weak volatile relaxed acquire release acq_rel sc mmio
	Scope                // cta cluster gpu sys
	Cache                // ca cg cs lu cv wb wt
	NC                   // nc
	Evict                // L1::evict_last, ...
	Evict2               // L2::evict_last, ...
	Hint                 // L2::cache_hint
	Prefetch             // L2::128B, ...
	To                   // to
	Geometry             // 1d 2d 3d a1d a2d cube acube 2dms a2dms
	Shape                // m16n16k16, ...; number of matrices x1 x2 x4
	LayoutA              // row col
	LayoutB              // row col
	Trans                // trans
	Level                // cta gl sys; L1 L2
	SubSpace             // cta cluster of .shared, entry func of .param
	numSlots
)

var slotNames = [numSlots]string{
	Round: "round", FTZ: "ftz", Sat: "sat", Approx: "approx", Relu: "relu", NaN: "NaN", XorSign: "xorsign", Abs: "abs",
	NoFTZ: "noftz", OOB: "oob", CC: "cc", Mode: "mode", Mode2: "mode2", Mode3: "mode3", Cmp: "cmp", Bool: "bool", Uni: "uni",
	Sync: "sync", Aligned: "aligned", Sem: "sem", Scope: "scope", Cache: "cache", NC: "nc", Evict: "evict", Evict2: "evict2",
	Hint: "hint", Prefetch: "prefetch", To: "to", Geometry: "geom", Shape: "shape", LayoutA: "layouta", LayoutB: "layoutb",
	Trans: "trans", Level: "level", SubSpace: "subspace",
}

// Form is an instruction name taken apart: one line of the tables with its modifiers filled in.
type Form struct {
	// Name is the dotted name as written, Op what stands before the first dot.
	Name, Op string
	// Types are the type modifiers in the order of the PTX ISA; NoType where an optional one is missing.
	Types []ptx.Type
	// Space is the state space, Generic if none is named.
	Space ptx.Space
	// Vec is 2, 4 or 8 with .v2, .v4, .v8, else 1.
	Vec int
	// Loose is whether only names were checked: families above the host device's architecture (wgmma, tcgen05, bulk
	// copies, ...). Types and modifiers are then only those by which the family is told.
	Loose bool

	spec *spec
	// filled has a bit for each slot with a modifier; chosen says which alternative of each of spec.slots it is, counted from
	// one, 0 where there is none.
	filled uint64
	chosen [maxSlots]uint16
}

// maxSlots is how many modifiers a line of the tables may have.
const maxSlots = 16

// Has reports whether the instruction has a modifier in that slot.
func (f *Form) Has(s Slot) bool { return f.filled>>s&1 != 0 }

// Mod returns the modifier in a slot, "" if there is none. Those with a part of their own, types and spaces, are in no slot.
func (f *Form) Mod(s Slot) string {
	if !f.Has(s) {
		return ""
	}
	for i := range f.spec.slots {
		sl, n := &f.spec.slots[i], f.chosen[i]
		switch {
		case n == 0:
		case sl.kind == plainSlot && sl.slot == s:
			return sl.alts[n-1]
		case sl.kind == spaceSlot && s == SubSpace:
			_, sub, _ := strings.Cut(sl.alts[n-1], "::")
			return sub
		}
	}
	return ""
}

// Type returns Types[i], NoType if there is none.
func (f *Form) Type(i int) ptx.Type {
	if i < len(f.Types) {
		return f.Types[i]
	}
	return ptx.NoType
}

type slotKind uint8

const (
	plainSlot slotKind = iota
	typeSlot
	spaceSlot
	vecSlot
)

// slot is one position in the list of modifiers.
type slot struct {
	kind     slotKind
	slot     Slot
	alts     []string
	optional bool
	types    int // index in Form.Types
}

// takes returns the number of the alternative that mod is, counted from one, 0 if it is none.
func (s *slot) takes(mod string) int { return 1 + slices.Index(s.alts, mod) }

// spec is one line of a table.
type spec struct {
	line  string
	op    string
	slots []slot
	types int
	args  []argSpec
	min   int // operands that are not optional
	loose bool
	hook  hook
}

// hook checks what a table cannot say, after the operands have been resolved.
type hook func(c *funcChecker, in *Instr)

// argKind is what a table says of an operand.
type argKind uint8

const (
	dstArg   argKind = iota // d: destination register
	sinkArg                 // D: destination register or _
	pairArg                 // P: destination register or _, with or without | predicate
	srcArg                  // s: register, special register or constant
	regArg                  // r: register or special register
	valueArg                // a: as s, and the address of a variable or function
	predArg                 // p: predicate with or without !
	plainArg                // q: predicate without !
	memArg                  // m: memory
	immArg                  // i: integer constant
	labelArg                // l: label
	listArg                 // t: list of branch targets
	anyArg                  // x: anything; a hook looks at it
)

// argSpec is one operand of a form.
type argSpec struct {
	kind     argKind
	optional bool
	relaxed  bool // ~: a register may be wider than the type
	wide     bool // w: twice the width of the type
	index    int  // of Form.Types, -1 if typ holds the type
	typ      ptx.Type
	vec      int // elements of a vector; 0: scalar; vecOfForm: Form.Vec, a scalar if that is 1
	lo, hi   int64
	ranged   bool
}

const vecOfForm = -1

// table is every form, by mnemonic. Lines are read when the first instruction of their mnemonic is met.
var table = sync.OnceValue(func() map[string]func() []*spec {
	lines := make(map[string][]string)
	for _, text := range tables {
		for line := range strings.Lines(text) {
			line, _, _ = strings.Cut(line, "#")
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			op, _, _ := strings.Cut(line, " ")
			lines[op] = append(lines[op], line)
		}
	}
	m := make(map[string]func() []*spec, len(lines))
	for op, list := range lines {
		m[op] = sync.OnceValue(func() []*spec { return parseSpecs(list) })
	}
	return m
})

func parseSpecs(lines []string) (list []*spec) {
	for _, line := range lines {
		s, err := parseSpec(line)
		if err != nil {
			panic(fmt.Sprintf("check: table line %q: %v", line, err)) // a mistake in this package; the tests read all lines
		}
		list = append(list, s)
	}
	return list
}

// parseSpec reads a line of a table:
//
//	mnemonic slot... : operand... ! hook
//
// A slot is name=a|b|c, name?=a|b|c if optional, or a flag name, name?; t= is a type, space= a state space, vec= a
// width. $name stands for a list of alternatives. An operand is kind:type with the kinds and marks of argKind and
// argSpec; *4 makes it a vector of four, *v one of Form.Vec, ? optional. A line whose slots end with * is loose:
// behind the modifiers that stand before, any others may follow, with any operands.
func parseSpec(line string) (*spec, error) {
	s := &spec{line: line}
	line, hookName, _ := strings.Cut(line, " ! ")
	head, args, _ := strings.Cut(line, " :")
	words := strings.Fields(head)
	s.op = words[0]
	if hookName = strings.TrimSpace(hookName); hookName != "" {
		if s.hook = hooks[hookName]; s.hook == nil {
			return nil, fmt.Errorf("no hook %q", hookName)
		}
	}
	for _, w := range words[1:] {
		if w == "*" {
			s.loose = true
			break
		}
		sl, err := parseSlot(w)
		if err != nil {
			return nil, err
		}
		if sl.kind == typeSlot {
			sl.types = s.types
			s.types++
		}
		s.slots = append(s.slots, sl)
	}
	if len(s.slots) > maxSlots {
		return nil, fmt.Errorf("%d modifiers", len(s.slots))
	}
	for _, w := range strings.Fields(args) {
		a, err := parseArg(w)
		if err != nil {
			return nil, err
		}
		s.args = append(s.args, a)
		if !a.optional {
			s.min++
		}
	}
	return s, nil
}

func parseSlot(w string) (slot, error) {
	name, alts, listed := strings.Cut(w, "=")
	var s slot
	name, s.optional = strings.CutSuffix(name, "?")
	switch name {
	case "t":
		s.kind = typeSlot
	case "space":
		s.kind = spaceSlot
	case "vec":
		s.kind = vecSlot
	default:
		i := slices.Index(slotNames[:], name)
		if i < 0 {
			return s, fmt.Errorf("no slot %q", name)
		}
		s.slot = Slot(i)
	}
	if !listed {
		alts = name
	}
	for alt := range strings.SplitSeq(alts, "|") {
		if list, ok := strings.CutPrefix(alt, "$"); ok {
			set, ok := sets[list]
			if !ok {
				return s, fmt.Errorf("no set $%s", list)
			}
			s.alts = append(s.alts, strings.Split(set, "|")...)
			continue
		}
		s.alts = append(s.alts, alt)
	}
	if s.kind == typeSlot {
		for _, alt := range s.alts {
			if ptx.TypeNamed(alt) == ptx.NoType {
				return s, fmt.Errorf("no type %q", alt)
			}
		}
	}
	return s, nil
}

const argLetters = "dDPsrapqmiltx"

func parseArg(w string) (a argSpec, err error) {
	a.index = -1
	w, a.optional = strings.CutSuffix(w, "?")
	letter, typ, _ := strings.Cut(w, ":")
	kind := strings.Index(argLetters, letter)
	if kind < 0 || len(letter) != 1 {
		return a, fmt.Errorf("no operand kind %q", letter)
	}
	a.kind = argKind(kind)
	typ, count, isVec := strings.Cut(typ, "*")
	if isVec {
		a.vec = vecOfForm
		if count != "v" {
			if a.vec, err = strconv.Atoi(count); err != nil {
				return a, err
			}
		}
	}
	if a.kind == immArg {
		if typ == "" {
			return a, nil
		}
		lo, hi, _ := strings.Cut(typ, "..")
		a.ranged = true
		if a.lo, err = strconv.ParseInt(lo, 0, 64); err != nil {
			return a, err
		}
		a.hi, err = strconv.ParseInt(hi, 0, 64)
		return a, err
	}
	typ, a.relaxed = strings.CutSuffix(typ, "~")
	typ, a.wide = strings.CutPrefix(typ, "w")
	switch {
	case typ == "":
	case typ[0] >= '0' && typ[0] <= '9':
		a.index, err = strconv.Atoi(typ)
	default:
		if a.typ = ptx.TypeNamed(typ); a.typ == ptx.NoType {
			return a, fmt.Errorf("no type %q", typ)
		}
	}
	return a, err
}

// forms returns the forms that an opcode can be; more than one where the operands have to decide. If there is none, why
// says so.
func forms(code *ptx.Opcode) (list []*Form, why string) {
	read := table()[code.Op]
	if read == nil {
		return nil, fmt.Sprintf("unknown instruction %s", code.Op)
	}
	specs := read()
	f := new(Form)
	for _, s := range specs {
		if f.begin(code, s); f.strict(0, code.Mods) {
			list, f = append(list, f), new(Form)
		}
	}
	if list != nil {
		return list, ""
	}
	// Assemblers take modifiers in other orders too, and real inline assembly has them so.
	for _, s := range specs {
		if s.loose {
			continue
		}
		f = new(Form)
		if f.begin(code, s); f.anyOrder(code.Mods) {
			list = append(list, f)
		}
	}
	if list != nil {
		return list, ""
	}
	return nil, explain(code, specs)
}

// begin makes f the form of a line of which no modifiers are known yet. What strict leaves behind where it does not match is
// nothing.
func (f *Form) begin(code *ptx.Opcode, s *spec) {
	f.Name, f.Op, f.Vec, f.Loose, f.spec = code.Name, code.Op, 1, s.loose, s
	if len(f.Types) != s.types {
		f.Types = make([]ptx.Type, s.types)
	}
}

// strict matches modifiers with the slots from index i on, in order, trying optional slots both ways.
func (f *Form) strict(i int, mods []string) bool {
	if i == len(f.spec.slots) {
		return len(mods) == 0 || f.Loose
	}
	s := &f.spec.slots[i]
	if len(mods) > 0 {
		if n := s.takes(mods[0]); n > 0 && f.strict(i+1, mods[1:]) {
			f.fill(i, n)
			return true
		}
	}
	return s.optional && f.strict(i+1, mods)
}

// anyOrder matches modifiers in any order; types keep theirs.
func (f *Form) anyOrder(mods []string) bool {
	slots := f.spec.slots
	if len(mods) > len(slots) {
		return false
	}
next:
	for _, mod := range mods {
		for i := range slots {
			if f.chosen[i] > 0 {
				continue
			}
			if n := slots[i].takes(mod); n > 0 {
				f.fill(i, n)
				continue next
			}
			if slots[i].kind == typeSlot && !slots[i].optional && ptx.TypeNamed(mod) != ptx.NoType {
				return false
			}
		}
		return false
	}
	for i := range slots {
		if f.chosen[i] == 0 && !slots[i].optional {
			return false
		}
	}
	return true
}

// fill records that a slot of the line has alternative n, counted from one.
func (f *Form) fill(i, n int) {
	s := &f.spec.slots[i]
	mod := s.alts[n-1]
	f.chosen[i] = uint16(n)
	switch s.kind {
	case typeSlot:
		f.Types[s.types] = ptx.TypeNamed(mod)
	case spaceSlot:
		space, _, sub := strings.Cut(mod, "::")
		f.Space, _ = ptx.SpaceNamed(space)
		if sub {
			f.filled |= 1 << SubSpace
		}
	case vecSlot:
		f.Vec = int(mod[1] - '0')
	default:
		f.filled |= 1 << s.slot
	}
}

// explain says why no form of the instruction has those modifiers.
func explain(code *ptx.Opcode, specs []*spec) string {
	var strange []string
	for _, mod := range code.Mods {
		known := slices.ContainsFunc(specs, func(s *spec) bool {
			return slices.ContainsFunc(s.slots, func(sl slot) bool { return sl.takes(mod) > 0 })
		})
		if !known && len(strange) < 8 {
			strange = append(strange, "."+mod)
		}
	}
	switch {
	case len(strange) > 0:
		return fmt.Sprintf("%s: %s has no modifier %s", code.Name, code.Op, strings.Join(strange, ", "))
	case len(code.Mods) == 0:
		return fmt.Sprintf("%s needs modifiers", code.Op)
	}
	return fmt.Sprintf("%s: %s does not have these modifiers together", code.Name, code.Op)
}
