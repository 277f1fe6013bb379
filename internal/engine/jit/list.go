//go:build linux && (amd64 || arm64)

package jit

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
)

// List compiles k as the engine of that name does, one of Names, and returns the machine code. It needs no processor that can run
// it. The error wraps ErrUnavailable for an engine that this build has not.
func List(name string, k *ir.Kernel, o engine.Options) (*Listing, error) {
	t, ok := targets[name]
	if !ok {
		return nil, fmt.Errorf("%w: this build emits no code for %s", ErrUnavailable, name)
	}
	p, err := newCompiler(t).prepare(k, o)
	if err != nil {
		return nil, err
	}
	p.marks = &marks{}
	p.marks.shared(0, "where a warp begins")
	out, err := t.emit(p)
	if err != nil {
		return nil, fmt.Errorf("compile kernel %s: %w", k.Name, err)
	}
	l := &Listing{Engine: name, Size: len(out.text)}
	list := append(p.marks.list, mark{offset: len(out.text)})
	for i, m := range list[:len(list)-1] {
		end := list[i+1].offset
		if m.offset == end && m.in == nil {
			continue
		}
		piece := Piece{In: m.in, What: m.what, Outside: m.outside}
		for at := m.offset; at < end; {
			size, text, base := decode(out.text[at:end], at)
			piece.Code = append(piece.Code, Machine{at, out.text[at : at+size], placed(text, base)})
			at += size
		}
		l.Pieces = append(l.Pieces, piece)
	}
	return l, nil
}

var distance = regexp.MustCompile(`\$[+-]\d+`)

// placed is text with offsets in place of distances from base.
func placed(text string, base int) string {
	return distance.ReplaceAllStringFunc(text, func(d string) string {
		n, err := strconv.Atoi(d[1:])
		if err != nil {
			return d
		}
		return fmt.Sprintf("%#x", base+n)
	})
}
