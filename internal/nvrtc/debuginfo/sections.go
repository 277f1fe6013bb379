package debuginfo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// sections are the bytes of the `.section .debug_…` blocks of a PTX module, by name.
type sections map[string][]byte

// patch is a place whose value is only known when all labels have been seen.
type patch struct {
	section      string
	offset, size int
	expr         string
	line         int
}

// assembler turns the text of the blocks into bytes (PTX ISA, Debugging Directives: .section). A value is an integer,
// a section (its start, 0), a label of a section (its offset there), any other symbol (0: addresses of code and of
// variables do not matter here), such a name plus or minus an integer, or a difference of two labels.
type assembler struct {
	out     sections
	labels  map[string]int
	patches []patch
	current string // the section that is open, or ""
	line    int
}

// assemble reads all debug sections of the PTX text. Text outside of them is skipped, whatever it is.
func assemble(ptx []byte) (sections, error) {
	a := &assembler{out: sections{}, labels: map[string]int{}}
	for len(ptx) > 0 {
		var text []byte
		text, ptx, _ = bytes.Cut(ptx, []byte("\n"))
		a.line++
		if err := a.text(strings.TrimSpace(string(text))); err != nil {
			return nil, fmt.Errorf("PTX line %d: %w", a.line, err)
		}
	}
	if a.current != "" {
		return nil, fmt.Errorf("section %s does not end", a.current)
	}
	for _, p := range a.patches {
		if err := a.apply(p); err != nil {
			return nil, fmt.Errorf("PTX line %d: %w", p.line, err)
		}
	}
	return a.out, nil
}

// text reads one line, without surrounding blanks.
func (a *assembler) text(s string) error {
	if a.current == "" {
		rest, ok := strings.CutPrefix(s, ".section")
		if !ok {
			return nil
		}
		name, rest := word(rest)
		if !strings.HasPrefix(name, ".debug_") {
			return fmt.Errorf("section %q: want the name of a debug section", name)
		}
		a.current = name
		if _, open := a.out[name]; !open {
			a.out[name] = nil
		}
		s = strings.TrimSpace(rest)
	}
	s, _, _ = strings.Cut(s, "//")
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		switch {
		case s[0] == '{':
			s = s[1:]
		case s[0] == '}':
			a.current = ""
			return nil
		case s[0] == '.':
			return a.values(s)
		default:
			label, rest, ok := strings.Cut(s, ":")
			if !ok {
				return fmt.Errorf("section %s: %q is neither data nor a label", a.current, clip(s))
			}
			a.labels[strings.TrimSpace(label)] = len(a.out[a.current])
			s = rest
		}
	}
	return nil
}

// values reads a data directive: .b8, .b16, .b32 or .b64 and a list of values.
func (a *assembler) values(s string) error {
	size, rest, ok := dataSize(s)
	if !ok {
		return fmt.Errorf("section %s: unknown directive %q", a.current, clip(s))
	}
	rest, end, closed := strings.Cut(rest, "}")
	rest = strings.TrimSuffix(strings.TrimSpace(rest), ";")
	for len(rest) > 0 {
		var value string
		value, rest, _ = strings.Cut(rest, ",")
		value = strings.TrimSpace(value)
		if value == "" {
			return fmt.Errorf("section %s: empty value", a.current)
		}
		n, isNumber := number(value)
		if !isNumber {
			a.patches = append(a.patches, patch{a.current, len(a.out[a.current]), size, value, a.line})
		}
		a.out[a.current] = put(a.out[a.current], size, n)
	}
	if closed {
		a.current = ""
		if strings.TrimSpace(end) != "" {
			return fmt.Errorf("text after the end of a section: %q", clip(end))
		}
	}
	return nil
}

func dataSize(s string) (size int, rest string, ok bool) {
	name, rest := word(s)
	size, ok = map[string]int{".b8": 1, ".b16": 2, ".b32": 4, ".b64": 8}[name]
	return size, rest, ok
}

// put appends the low size bytes of v in little-endian order.
func put(b []byte, size int, v uint64) []byte {
	var w [8]byte
	binary.LittleEndian.PutUint64(w[:], v)
	return append(b, w[:size]...)
}

// number reads an integer literal; negative ones wrap around.
func number(s string) (uint64, bool) {
	if n, err := strconv.ParseUint(s, 0, 64); err == nil {
		return n, true
	}
	n, err := strconv.ParseInt(s, 0, 64)
	return uint64(n), err == nil
}

// apply fills in a value that names symbols.
func (a *assembler) apply(p patch) error {
	v, err := a.value(p.expr)
	if err != nil {
		return err
	}
	copy(a.out[p.section][p.offset:], put(nil, p.size, v))
	return nil
}

// value evaluates a sum or difference of symbols and integers.
func (a *assembler) value(expr string) (uint64, error) {
	var sum uint64
	sign, rest := byte('+'), expr
	for {
		i := strings.IndexAny(rest, "+-")
		term := rest
		if i >= 0 {
			term = rest[:i]
		}
		v, err := a.term(strings.TrimSpace(term))
		if err != nil {
			return 0, fmt.Errorf("value %q: %w", clip(expr), err)
		}
		if sign == '-' {
			v = -v
		}
		sum += v
		if i < 0 {
			return sum, nil
		}
		sign, rest = rest[i], rest[i+1:]
	}
}

func (a *assembler) term(s string) (uint64, error) {
	if n, ok := number(s); ok {
		return n, nil
	}
	if s == "" || strings.ContainsAny(s, " \t\"'()*/") || s[0] >= '0' && s[0] <= '9' {
		return 0, fmt.Errorf("%q is neither a number nor a symbol", clip(s))
	}
	return uint64(a.labels[s]), nil // sections and unknown symbols are 0
}

// word splits the first word off.
func word(s string) (first, rest string) {
	s = strings.TrimSpace(s)
	if i := strings.IndexAny(s, " \t{"); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// clip shortens text of others for an error message.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
