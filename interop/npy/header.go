package npy

import (
	"fmt"
	"strconv"
	"strings"
)

// parseHeader reads the header, a Python dictionary with exactly the keys descr, fortran_order and shape.
func parseHeader(text string) (h Header, big bool, err error) {
	p := &literal{rest: strings.TrimRight(text, " \n\x00")}
	seen := map[string]bool{}
	p.expect("{")
	for p.err == nil && !p.accept("}") {
		key := p.quoted()
		p.expect(":")
		if seen[key] {
			p.fail("key %q twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			h.DType, big = p.dtype()
		case "fortran_order":
			h.Fortran = p.boolean()
		case "shape":
			h.Shape = p.shape()
		default:
			p.fail("unexpected key %q", key)
		}
		if !p.accept(",") {
			p.expect("}")
			break
		}
	}
	if p.err == nil && (p.rest != "" || len(seen) != 3) {
		p.fail("want the keys descr, fortran_order and shape")
	}
	if p.err != nil {
		return Header{}, false, fmt.Errorf("bad header: %w", p.err)
	}
	return h, big, nil
}

// literal scans the few Python literals that a header has. After an error it does nothing.
type literal struct {
	rest string
	err  error
}

func (p *literal) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *literal) accept(token string) bool {
	p.rest = strings.TrimLeft(p.rest, " \n\t")
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok && p.err == nil {
		p.rest = strings.TrimLeft(rest, " \n\t")
		return true
	}
	return false
}

func (p *literal) expect(token string) {
	if !p.accept(token) {
		p.fail("want %q before %.20q", token, p.rest)
	}
}

func (p *literal) quoted() string {
	quote := "'"
	if strings.HasPrefix(p.rest, `"`) {
		quote = `"`
	}
	p.expect(quote)
	s, rest, ok := strings.Cut(p.rest, quote)
	if !ok {
		p.fail("a string without an end")
		return ""
	}
	p.rest = rest
	return s
}

func (p *literal) dtype() (dtype string, big bool) {
	if strings.HasPrefix(p.rest, "[") {
		p.fail("structured types are not supported")
		return "", false
	}
	s := p.quoted()
	if s == "" {
		p.fail("empty type")
		return "", false
	}
	dtype = strings.TrimLeft(s, "<>|=")
	big = s[0] == '>'
	if sizes[dtype] == 0 || len(s)-len(dtype) > 1 {
		p.fail("type %q is not supported", s)
	}
	return dtype, big
}

func (p *literal) boolean() bool {
	if p.accept("True") {
		return true
	}
	p.expect("False")
	return false
}

func (p *literal) shape() []int {
	dims := []int{}
	p.expect("(")
	for p.err == nil && !p.accept(")") {
		end := strings.IndexFunc(p.rest, func(r rune) bool { return r < '0' || r > '9' })
		if end <= 0 {
			p.fail("want a length before %.20q", p.rest)
			return nil
		}
		n, err := strconv.Atoi(p.rest[:end])
		if err != nil {
			p.fail("length %s is too large", p.rest[:end])
			return nil
		}
		dims = append(dims, n)
		p.rest = strings.TrimPrefix(p.rest[end:], "L") // Python 2 wrote long integers so
		if !p.accept(",") {
			p.expect(")")
			break
		}
	}
	return dims
}
