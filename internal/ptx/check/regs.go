package check

import (
	"strconv"

	"github.com/tandem-go/tandem/internal/ptx"
)

func rangeName(prefix string, i int) string { return prefix + strconv.Itoa(i) }

// symbol is what a name means within a function; exactly one field is set, reg if the others are nil.
type symbol struct {
	reg     RegID
	v       *Var
	label   *label
	proto   *prototype
	targets *ptx.Targets
	pos     ptx.Pos
}

// label is a label of some scope; id is its index in Func.Labels.
type label struct{ id int }

// prototype is a .callprototype of some scope.
type prototype struct{ rets, params []*Var }

// scope is a body or block. Ranges of registers are entered as ranges, and their registers when they are first used.
type scope struct {
	names map[string]symbol
	// percent tells that a name in names begins with %, as those of registers in ranges usually do.
	percent bool
	ranges  map[string]*regRange
	few     []*regRange // the same, while they are few
}

// regRange is a range of registers, and those of it that are used: the id plus 1 by number, in sparse beyond dense ones.
type regRange struct {
	*ptx.Var
	dense  []RegID
	sparse map[int]RegID
}

// fewRanges are found by comparing names; mostDense bounds what a short text can make Check reserve.
const (
	fewRanges = 8
	mostDense = 1 << 12
)

func newScope() *scope { return &scope{names: make(map[string]symbol)} }

// set enters a name.
func (s *scope) set(name string, sym symbol) {
	s.names[name] = sym
	s.percent = s.percent || percent(name)
}

func percent(name string) bool { return name != "" && name[0] == '%' }

// addRange enters a range.
func (s *scope) addRange(d *ptx.Var) {
	if s.ranges == nil {
		s.ranges = make(map[string]*regRange)
	}
	r := &regRange{Var: d}
	s.ranges[d.Name] = r
	s.few = append(s.few, r)
}

// lookup finds a name in this scope alone and makes sym, which is zero, what it means; register makes the register of a range.
func (s *scope) lookup(name string, c *funcChecker, sym *symbol) bool {
	if !percent(name) || s.percent {
		if found, ok := s.names[name]; ok {
			*sym = found
			return true
		}
	}
	r, n := s.rangeOf(name)
	if r != nil {
		sym.reg, sym.pos = r.register(n, name, c), r.NamePos
	}
	return r != nil
}

// register returns register n of the range, which has that name.
func (r *regRange) register(n int, name string, c *funcChecker) RegID {
	if r.Count > mostDense {
		id, ok := r.sparse[n]
		if !ok {
			if r.sparse == nil {
				r.sparse = make(map[int]RegID)
			}
			id = c.register(name, r.Var)
			r.sparse[n] = id
		}
		return id
	}
	if r.dense == nil {
		r.dense = make([]RegID, r.Count)
	}
	if r.dense[n] == 0 {
		r.dense[n] = c.register(name, r.Var) + 1
	}
	return r.dense[n] - 1
}

// rangeOf returns the range that a name is of, and its number there: %r12 can be number 12 of %r, or number 2 of %r1.
func (s *scope) rangeOf(name string) (*regRange, int) {
	if s.ranges == nil {
		return nil, 0
	}
	value, place := 0, 1
	for i := len(name) - 1; i > 0 && len(name)-i <= 9; i-- {
		digit := name[i]
		if digit < '0' || digit > '9' {
			return nil, 0
		}
		value += int(digit-'0') * place
		place *= 10
		if digit == '0' && i < len(name)-1 {
			continue // no leading zeros
		}
		if r := s.rangeNamed(name[:i]); r != nil && value < r.Count {
			return r, value
		}
	}
	return nil, 0
}

func (s *scope) rangeNamed(prefix string) *regRange {
	if len(s.few) > fewRanges {
		return s.ranges[prefix]
	}
	for _, r := range s.few {
		if r.Name == prefix {
			return r
		}
	}
	return nil
}

// declared returns where a name that a declaration wants is already declared in this scope.
func (s *scope) declared(d *ptx.Var) (ptx.Pos, bool) {
	name := d.Name
	if d.Ranged {
		if old := s.ranges[name]; old != nil {
			return old.NamePos, true
		}
		if d.Count == 0 {
			return ptx.Pos{}, false
		}
		name = rangeName(name, 0) // its lowest number: ranges that overlap share it or hold it
	}
	if sym, ok := s.names[name]; ok {
		return sym.pos, true
	}
	if old, _ := s.rangeOf(name); old != nil {
		return old.NamePos, true
	}
	return ptx.Pos{}, false
}

// overlap reports names declared one by one that a range also declares; it is called when a scope ends.
func (c *checker) overlap(s *scope) {
	if s.ranges == nil {
		return
	}
	for name, sym := range s.names {
		d, _ := s.rangeOf(name)
		if d == nil || sym.pos == d.NamePos {
			continue
		}
		first, second := sym.pos, d.NamePos
		if second.Before(first) {
			continue // reported when the name was declared
		}
		c.errorf(second, "%s<%d> declares %s, which is already declared in line %d", d.Name, d.Count, name, first.Line)
	}
}

// registerType checks that registers of that type exist.
func (c *checker) registerType(d *ptx.Var) bool {
	switch {
	case d.Type.Class() == ptx.OpaqueType, d.Type != ptx.Pred && !declarable(d.Type):
		c.errorf(d.Pos, "%s: no register has type .%s", d.Name, d.Type)
	case d.Dims != nil:
		c.errorf(d.NamePos, "%s: registers form no arrays", d.Name)
	case d.Init != nil:
		c.errorf(d.Init.Pos, "%s: a register cannot be initialised", d.Name)
	case d.Vec > 4, d.Vec*d.Type.Bits() > 128, d.Vec > 0 && d.Type == ptx.Pred:
		c.errorf(d.Pos, "%s: no vector register of %d .%s", d.Name, d.Vec, d.Type)
	case d.Ranged && d.Count > 1<<24:
		c.errorf(d.NamePos, "%s: %d registers in one range", d.Name, d.Count)
	default:
		return true
	}
	return false
}

// specials are the special registers by name, with component where they have components (PTX ISA, Special Registers).
var specials = func() map[string]ptx.Type {
	m := make(map[string]ptx.Type)
	for _, name := range []string{
		"laneid", "warpid", "nwarpid", "smid", "nsmid", "lanemask_eq", "lanemask_le", "lanemask_lt", "lanemask_ge",
		"lanemask_gt", "clock", "clock_hi", "globaltimer_lo", "globaltimer_hi", "total_smem_size", "aggr_smem_size",
		"dynamic_smem_size", "cluster_ctarank", "cluster_nctarank", "reserved_smem_offset_begin",
		"reserved_smem_offset_end", "reserved_smem_offset_cap", "reserved_smem_offset_0", "reserved_smem_offset_1",
	} {
		m["%"+name] = ptx.U32
	}
	for _, name := range []string{"gridid", "clock64", "globaltimer", "current_graph_exec"} {
		m["%"+name] = ptx.U64
	}
	m["%is_explicit_cluster"] = ptx.Pred
	for _, name := range []string{"tid", "ntid", "ctaid", "nctaid", "clusterid", "nclusterid", "cluster_ctaid", "cluster_nctaid"} {
		for _, comp := range []string{".x", ".y", ".z", ".w"} {
			m["%"+name+comp] = ptx.U32
		}
	}
	for i := range 32 {
		m["%envreg"+strconv.Itoa(i)] = ptx.B32
	}
	for i := range 8 {
		m["%pm"+strconv.Itoa(i)] = ptx.U32
		m["%pm"+strconv.Itoa(i)+"_64"] = ptx.U64
	}
	return m
}()
