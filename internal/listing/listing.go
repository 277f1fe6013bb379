// Package listing shows what becomes of a PTX kernel on the host device, stage by stage, as text: the intermediate form as it
// was lowered and after each pass, and the machine code beside the PTX lines that it was made of.
package listing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/jit"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/lower"
	"github.com/tandem-go/tandem/internal/passes"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// Request is what to show of which kernel.
type Request struct {
	// Name is the file name for messages, Text the PTX.
	Name string
	Text []byte
	// Kernel may be empty where the text has exactly one.
	Kernel string
	// Stage is one of Stages; empty is the last but one, the form that engines compile.
	Stage string
	// Engine is one of Engines for the stage asm; empty is the first of them.
	Engine string
	// Block is the block's extent that the code is specialised for; zero: code for any.
	Block [3]uint32
}

// asm is the stage of machine code.
const asm = "asm"

// ErrUsage is wrapped by errors of a Request that names what there is not.
var ErrUsage = errors.New("wrong request")

// Stages are the names of the stages in their order.
func Stages() []string {
	all := []string{"lower"}
	for _, p := range passes.Table() {
		all = append(all, p.Name)
	}
	return append(all, asm)
}

// Engines are the names of the engines that Write has machine code of, none on other processors than amd64 and arm64.
func Engines() []string { return jit.Names() }

// Check parses and checks PTX; the error is a ptx.ErrorList.
func Check(name string, text []byte) (*check.Checked, error) {
	tree, err := ptx.Parse(name, text)
	if err != nil {
		return nil, err
	}
	return check.Check(tree)
}

// Write writes what r asks for. The error wraps ErrUsage for a kernel, stage or engine that does not exist, and is a
// ptx.ErrorList for PTX that is wrong or that the host device cannot execute.
func Write(w io.Writer, r Request) error {
	stages := Stages()
	if r.Stage == "" {
		r.Stage = stages[len(stages)-2]
	}
	if !slices.Contains(stages, r.Stage) {
		return fmt.Errorf("%w: no stage %q: there are %s", ErrUsage, r.Stage, strings.Join(stages, ", "))
	}
	if r.Engine == "" && len(Engines()) > 0 {
		r.Engine = Engines()[0]
	}
	if r.Stage == asm && !slices.Contains(Engines(), r.Engine) {
		return fmt.Errorf("%w: no code for engine %q: this build has %s", ErrUsage, r.Engine, strings.Join(Engines(), ", "))
	}
	checked, err := Check(r.Name, r.Text)
	if err != nil {
		return err
	}
	name, err := kernel(checked, r.Kernel)
	if err != nil {
		return err
	}
	k, err := lower.Kernel(checked, name)
	if err != nil {
		return err
	}
	var shown string
	err = passes.Run(k, passes.Options{Dump: func(phase string, k *ir.Kernel) {
		if phase == r.Stage {
			shown = k.String()
		}
	}})
	if err != nil {
		return err
	}
	if r.Stage != asm {
		_, err := io.WriteString(w, shown)
		return err
	}
	l, err := jit.List(r.Engine, k, engine.Options{Block: r.Block, Globals: addresses(k)})
	if err != nil {
		return err
	}
	return Assembly(w, k, l, r)
}

// kernel chooses the kernel.
func kernel(c *check.Checked, name string) (string, error) {
	var all []string
	for _, f := range c.Funcs {
		if f.Entry && f.Defined {
			all = append(all, f.Name)
		}
	}
	switch {
	case name == "" && len(all) == 1:
		return all[0], nil
	case name == "":
		return "", fmt.Errorf("%w: %s has %d kernels; choose one: %s", ErrUsage, c.Module.Name, len(all), strings.Join(all, ", "))
	case !slices.Contains(all, name):
		return "", fmt.Errorf("%w: %s has no kernel %s: it has %s", ErrUsage, c.Module.Name, name, strings.Join(all, ", "))
	}
	return name, nil
}

// firstVariable is the address that the listing gives the first variable; a device gives others.
const firstVariable = 1 << 32

func addresses(k *ir.Kernel) []uint64 {
	at, all := uint64(firstVariable), make([]uint64, len(k.Globals))
	for i, g := range k.Globals {
		align := uint64(max(g.Align, 256))
		at = (at + align - 1) / align * align
		all[i] = at
		at += uint64(g.Size)
	}
	return all
}

// Assembly writes machine code: before each piece the PTX line and the place in the source that it is from, then each
// instruction with its offset, its bytes and its text.
func Assembly(w io.Writer, k *ir.Kernel, l *jit.Listing, r Request) error {
	var b bytes.Buffer
	lines := strings.Split(string(r.Text), "\n")
	fmt.Fprintf(&b, "kernel %s, %s, ", k.Name, l.Engine)
	if r.Block == [3]uint32{} {
		b.WriteString("blocks of any extent")
	} else {
		fmt.Fprintf(&b, "blocks of %d,%d,%d", r.Block[0], r.Block[1], r.Block[2])
	}
	fmt.Fprintf(&b, ": %d bytes\n", l.Size)
	for i, g := range k.Globals {
		fmt.Fprintf(&b, "variable %s at %#x\n", g.Name, addresses(k)[i])
	}
	outside := false
	for _, p := range l.Pieces {
		if p.Outside != outside {
			outside = p.Outside
			b.WriteString("\nout of line:\n")
		}
		heading(&b, k, lines, p)
		for _, m := range p.Code {
			fmt.Fprintf(&b, "%6x  %-33s%s\n", m.Offset, fmt.Sprintf("% x", m.Bytes), m.Text)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// heading writes what a piece is for.
func heading(b *bytes.Buffer, k *ir.Kernel, lines []string, p jit.Piece) {
	if p.In == nil {
		fmt.Fprintf(b, "\n%s:\n", p.What)
		return
	}
	pos := p.In.Pos
	if n := int(pos.PTXLine); n >= 1 && n <= len(lines) {
		fmt.Fprintf(b, "line %d: %s", n, strings.Join(strings.Fields(lines[n-1]), " "))
	} else {
		fmt.Fprintf(b, "%s", p.In.Op)
	}
	if f := int(pos.File); f >= 1 && f <= len(k.Files) {
		fmt.Fprintf(b, "  // %s:%d", filepath.Base(k.Files[f-1]), pos.Line)
	}
	b.WriteString("\n")
}
