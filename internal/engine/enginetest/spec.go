package enginetest

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/ir"
)

// launch is one `// run:` line.
type launch struct {
	line        int
	label       string // what reports call it: the form it was made of, or the kernel
	kernel      string
	grid, block [3]uint32
	shared      int
	args        []argument
	fault       *wantFault
	prints      string
	hasPrints   bool
}

// argument is a parameter of a launch: values passed as they are, or the address of a buffer that holds them.
type argument struct {
	as     ir.Type
	buffer bool
	values []element
	want   []element // nil: unchanged
	image  *rt.Texture
}

// size is the number of bytes of the parameter.
func (a argument) size() int {
	if a.buffer {
		return 8
	}
	return len(a.values) * a.as.Bytes()
}

// element is a value, or what a value must be.
type element struct {
	bits uint64
	any  bool // ?
	ulps uint64
}

// wantFault is what a launch must end with.
type wantFault struct {
	code          uint32
	block, thread [3]uint32
	line          int32
	detail        string
}

var runLine = regexp.MustCompile(`^// run: *([\w$.]+) *<<<([^>]*)>>> *\((.*)\) *((?:fault|prints)\b.*)?$`)

// parseRuns finds the run lines of a file.
func parseRuns(text string) ([]launch, error) {
	var all []launch
	form := ""
	for i, line := range strings.Split(text, "\n") {
		if f, ok := strings.CutPrefix(line, "// form: "); ok {
			form = f
		}
		if !strings.HasPrefix(line, "// run:") {
			continue
		}
		l, err := parseRun(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		l.line, l.label, form = i+1, cmp.Or(form, l.kernel), ""
		all = append(all, l)
	}
	return all, nil
}

func parseRun(line string) (l launch, err error) {
	m := runLine.FindStringSubmatch(line)
	if m == nil {
		return l, fmt.Errorf("not a run line: %q", line)
	}
	l.kernel = m[1]
	dims := strings.Split(m[2], ",")
	if len(dims) < 2 || len(dims) > 3 {
		return l, fmt.Errorf("want <<<grid, block>>> or <<<grid, block, shared bytes>>>, have %q", m[2])
	}
	if l.grid, err = parseExtent(dims[0]); err != nil {
		return l, err
	}
	if l.block, err = parseExtent(dims[1]); err != nil {
		return l, err
	}
	if len(dims) == 3 {
		if l.shared, err = strconv.Atoi(strings.TrimSpace(dims[2])); err != nil {
			return l, err
		}
	}
	for _, text := range splitArguments(m[3]) {
		a, err := parseArgument(text)
		if err != nil {
			return l, err
		}
		l.args = append(l.args, a)
	}
	return l, l.parseOutcome(m[4])
}

func parseExtent(s string) ([3]uint32, error) {
	d := [3]uint32{1, 1, 1}
	for i, part := range strings.SplitN(strings.TrimSpace(s), "x", 3) {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil || n == 0 {
			return d, fmt.Errorf("%q is no extent", s)
		}
		d[i] = uint32(n)
	}
	return d, nil
}

// splitArguments divides at the commas; lists hold none.
func splitArguments(s string) (out []string) {
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

var valueForm = regexp.MustCompile(`^(\w+)(?: (\S+)|\{([^}]*)\})$`)

var bufferForm = regexp.MustCompile(`^(\w+)\[([^\]]*)\](?: *== *\[([^\]]*)\])?$`)

func parseArgument(s string) (a argument, err error) {
	if a, ok, err := parseImage(s); ok {
		return a, err
	}
	if m := bufferForm.FindStringSubmatch(s); m != nil {
		a.buffer = true
		if a.as, err = parseType(m[1]); err != nil {
			return a, err
		}
		if a.values, err = parseElements(a.as, m[2]); err != nil {
			return a, err
		}
		if strings.Contains(s, "==") {
			if a.want, err = parseElements(a.as, m[3]); err != nil {
				return a, err
			}
			if len(a.want) != len(a.values) {
				return a, fmt.Errorf("%q: %d values, but %d wanted", s, len(a.values), len(a.want))
			}
		}
		return a, nil
	}
	m := valueForm.FindStringSubmatch(s)
	if m == nil {
		return a, fmt.Errorf("%q is neither TYPE VALUE nor TYPE{VALUES} nor TYPE[VALUES]", s)
	}
	if a.as, err = parseType(m[1]); err != nil {
		return a, err
	}
	a.values, err = parseElements(a.as, m[2]+m[3])
	if err == nil && len(a.values) == 0 {
		err = fmt.Errorf("%q has no value", s)
	}
	return a, err
}

func parseType(s string) (ir.Type, error) {
	t, ok := ir.ParseType(s)
	if !ok || t.Bytes() == 0 || t.Bytes() > 8 {
		return t, fmt.Errorf("%q is no type of a value", s)
	}
	return t, nil
}

// parseElements reads values: V, V*N for N of them, A..B for the integers from A to B.
func parseElements(t ir.Type, s string) ([]element, error) {
	out := []element{}
	for _, word := range strings.Fields(s) {
		if from, to, ok := strings.Cut(word, ".."); ok {
			a, err1 := strconv.ParseInt(from, 0, 64)
			b, err2 := strconv.ParseInt(to, 0, 64)
			if err1 != nil || err2 != nil || a > b {
				return nil, fmt.Errorf("%q is no range", word)
			}
			for v := a; v <= b; v++ {
				e, err := parseElement(t, strconv.FormatInt(v, 10))
				if err != nil {
					return nil, err
				}
				out = append(out, e)
			}
			continue
		}
		n := 1
		if v, times, ok := strings.Cut(word, "*"); ok {
			var err error
			if n, err = strconv.Atoi(times); err != nil {
				return nil, err
			}
			word = v
		}
		e, err := parseElement(t, word)
		if err != nil {
			return nil, err
		}
		for range n {
			out = append(out, e)
		}
	}
	return out, nil
}

// parseElement reads ?, a number, or 0x and the bits of one; V~N accepts up to N units in the last place from V.
func parseElement(t ir.Type, s string) (e element, err error) {
	if s == "?" {
		return element{any: true}, nil
	}
	if v, ulps, ok := strings.Cut(s, "~"); ok {
		s = v
		if e.ulps, err = strconv.ParseUint(ulps, 10, 64); err != nil {
			return e, err
		}
	}
	keep := ^uint64(0) >> (64 - t.Bits())
	switch {
	case strings.HasPrefix(s, "0x"):
		e.bits, err = strconv.ParseUint(s[2:], 16, t.Bits())
	case t == ir.F32 && s == "nan":
		e.bits = 0x7fffffff
	case t == ir.F32:
		var x float64
		x, err = strconv.ParseFloat(s, 32)
		e.bits = uint64(math.Float32bits(float32(x)))
	case t == ir.F64:
		var x float64
		x, err = strconv.ParseFloat(s, 64)
		e.bits = math.Float64bits(x)
	case t.Float():
		err = fmt.Errorf("values of type %s are written as bits", t)
	case strings.HasPrefix(s, "-"):
		var x int64
		x, err = strconv.ParseInt(s, 10, 64)
		if err == nil && x < -1<<(t.Bits()-1) {
			err = fmt.Errorf("%s does not fit %s", s, t)
		}
		e.bits = uint64(x) & keep
	default:
		e.bits, err = strconv.ParseUint(s, 10, t.Bits())
	}
	return e, err
}

// matches compares bits of type t with what they must be. Any NaN of type f64 is as good as another.
func (e element) matches(t ir.Type, bits uint64) bool {
	if e.any || e.bits == bits {
		return true
	}
	if t == ir.F64 && math.IsNaN(math.Float64frombits(e.bits)) {
		return math.IsNaN(math.Float64frombits(bits))
	}
	if e.ulps == 0 || !t.Float() {
		return false
	}
	a, b := ordinal(t, e.bits), ordinal(t, bits)
	return max(a, b)-min(a, b) <= int64(e.ulps)
}

// ordinal numbers floats in their order.
func ordinal(t ir.Type, bits uint64) int64 {
	sign := uint64(1) << (t.Bits() - 1)
	if bits&sign != 0 {
		return -int64(bits &^ sign)
	}
	return int64(bits)
}

func show(t ir.Type, bits uint64) string {
	switch t {
	case ir.F32:
		return fmt.Sprintf("%v (%#08x)", math.Float32frombits(uint32(bits)), bits)
	case ir.F64:
		return fmt.Sprintf("%v (%#016x)", math.Float64frombits(bits), bits)
	}
	if t.Signed() {
		return fmt.Sprintf("%d (%#x)", int64(bits<<(64-t.Bits()))>>(64-t.Bits()), bits)
	}
	return fmt.Sprintf("%d (%#x)", bits, bits)
}

var faultForm = regexp.MustCompile(`^fault (\d+)(?: block (\d+(?:x\d+)*))?(?: thread (\d+(?:x\d+)*))?(?: line (\d+))?(?: ("(?:[^"\\]|\\.)*"))?$`)

func (l *launch) parseOutcome(s string) (err error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return nil
	case strings.HasPrefix(s, "prints "):
		l.hasPrints = true
		l.prints, err = strconv.Unquote(strings.TrimSpace(s[len("prints "):]))
		return err
	}
	m := faultForm.FindStringSubmatch(s)
	if m == nil {
		return fmt.Errorf("%q is no outcome", s)
	}
	code, _ := strconv.Atoi(m[1])
	f := &wantFault{code: uint32(code)}
	for _, c := range []struct {
		text string
		to   *[3]uint32
	}{{m[2], &f.block}, {m[3], &f.thread}} {
		for i, part := range strings.SplitN(c.text, "x", 3) {
			n, _ := strconv.Atoi(part)
			c.to[i] = uint32(n)
		}
	}
	n, _ := strconv.Atoi(m[4])
	f.line = int32(n)
	if m[5] != "" {
		if f.detail, err = strconv.Unquote(m[5]); err != nil {
			return err
		}
	}
	l.fault = f
	return nil
}
