// Package enginetest runs small kernels on any engine and compares what they compute with what their files say.
//
// A run file is PTX (testdata/run/*.ptx), IR text (*.ir), or a table of instructions (*.forms, see expandForms) of which
// PTX is made. Its first line names the section of the specification that it is about. Each line that begins with `// run:` is a launch:
//
//	// run: KERNEL<<<GRID, BLOCK[, SHARED]>>>(ARGUMENTS) [OUTCOME]
//
// Extents are N, NxN or NxNxN. An argument is `TYPE VALUE` for a scalar, `TYPE{VALUES}` for a structure, or `TYPE[VALUES]`
// for the address of a buffer, or an image (see imageForm); what the buffer holds afterwards follows as `== [VALUES]`, and without that it must be
// unchanged. Values are decimal, or 0x and the bits; `V*N` repeats, `A..B` counts, `?` is not initialised or not looked
// at, `V~N` allows N units in the last place; nan is the canonical NaN. An outcome is
// `fault CODE [block X] [thread X] [line N] ["part of the text"]` or `prints "TEXT"`.
//
// Every launch is driven in several ways that must give the same. A form of PTX counts as supported only if a run file
// executed it.
package enginetest

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
)

//go:embed testdata/run testdata/hazard
var files embed.FS

// Run executes all run files on an engine.
func Run(t *testing.T, e engine.Engine) { runFiles(t, e, "testdata/run/*") }

// RunHazards executes the run files of what is easily got wrong, one for each hazard, whose number its name begins with:
// warp-synchronous code, divergence, shuffles, contraction, and so on. A file with the line `// together` has blocks that
// wait for each other.
func RunHazards(t *testing.T, e engine.Engine) { runFiles(t, e, "testdata/hazard/*") }

func runFiles(t *testing.T, e engine.Engine, pattern string) {
	names, err := fs.Glob(files, pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no run files: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(path.Base(name), path.Ext(name)), func(t *testing.T) {
			text, err := files.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			ways := modes
			if strings.Contains(string(text), "\n// together\n") {
				ways = spinning
			}
			runFile(t, e, path.Base(name), string(text), ways)
		})
	}
}

// RunText executes the run lines of one text, named as a file whose extension says which language it is.
func RunText(t *testing.T, e engine.Engine, name, text string) { runFile(t, e, name, text, modes) }

// RunTogether is RunText for launches whose blocks wait for each other: all are resident.
func RunTogether(t *testing.T, e engine.Engine, name, text string) {
	runFile(t, e, name, text, together)
}

// maxComplaints bounds what is said of one launch.
const maxComplaints = 5

func runFile(t *testing.T, e engine.Engine, name, text string, modes []mode) {
	if path.Ext(name) == ".forms" {
		var err error
		if text, err = expandForms(text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	runs, err := parseRuns(text)
	if err != nil || len(runs) == 0 {
		t.Fatalf("%s: %d run lines: %v", name, len(runs), err)
	}
	compile, err := load(name, text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, l := range runs {
		variants, err := compile(l.kernel)
		if err != nil {
			t.Errorf("%s:%d: %s: %v", name, l.line, l.label, err)
			continue
		}
		for _, v := range variants {
			for _, m := range modes {
				where := fmt.Sprintf("%s:%d: %s (%s, %s)", name, l.line, l.label, v.name, m.name)
				o, err := execute(e, v.executable, l, m)
				if err != nil {
					t.Errorf("%s: %v", where, err)
					continue
				}
				complaints := judge(l, o)
				for _, complaint := range complaints[:min(len(complaints), maxComplaints)] {
					t.Errorf("%s: %s", where, complaint)
				}
			}
		}
	}
}

// variant is a kernel at one level of optimisation.
type variant struct {
	name string
	executable
}

// load reads a file and returns what compiles a kernel of it.
func load(name, text string) (func(kernel string) ([]variant, error), error) {
	if path.Ext(name) == ".ir" {
		return loadIR(text)
	}
	return loadPTX(name, text)
}

// loadIR takes files of one or more kernels in the text form of package ir, each beginning at a line `kernel`.
func loadIR(text string) (func(string) ([]variant, error), error) {
	kernels := map[string]*ir.Kernel{}
	for i, part := range strings.Split("\n"+text, "\nkernel ") {
		if i == 0 {
			continue
		}
		k, err := ir.Parse("kernel " + part)
		if err != nil {
			return nil, err
		}
		if err := ir.Verify(k); err != nil {
			return nil, err
		}
		kernels[k.Name] = k
	}
	return func(name string) ([]variant, error) {
		k := kernels[name]
		if k == nil {
			return nil, fmt.Errorf("no kernel %s", name)
		}
		return []variant{{"as written", executable{kernel: k, layout: natural}}}, nil
	}, nil
}

// natural lays parameters out each aligned to its size.
func natural(args []argument) (offsets []int, size int) {
	for _, a := range args {
		align := a.as.Bytes()
		if a.buffer {
			align = 8
		}
		size = (size + align - 1) / align * align
		offsets = append(offsets, size)
		size += a.size()
	}
	return offsets, size
}

// judge says what is wrong with an outcome.
func judge(l launch, o *outcome) (complaints []string) {
	complain := func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) }
	if o.fault != nil || l.fault != nil {
		for _, c := range judgeFault(l.fault, o.fault) {
			complain("%s", c)
		}
		return complaints
	}
	if l.hasPrints && o.printed != l.prints || !l.hasPrints && o.printed != "" {
		complain("printed %q, want %q", o.printed, l.prints)
	}
	n := 0
	for i, a := range l.args {
		if !a.buffer {
			continue
		}
		b, want, size := o.buffers[n], a.want, a.as.Bytes()
		n++
		if want == nil {
			want = a.values
		}
		for k, e := range want {
			if have := get(b[k*size:][:size]); !e.matches(a.as, have) {
				complain("argument %d, element %d: have %s, want %s", i, k, show(a.as, have), show(a.as, e.bits))
			}
		}
	}
	return complaints
}

func judgeFault(want *wantFault, have *engine.Fault) (complaints []string) {
	switch {
	case want == nil:
		return []string{fmt.Sprintf("unexpected fault %+v", *have)}
	case have == nil:
		return []string{fmt.Sprintf("no fault, want %+v", *want)}
	}
	text := have.Access + " " + have.Space + ": " + have.Detail
	if have.Code != want.code || have.Block != want.block || have.Thread != want.thread ||
		want.line != 0 && have.Pos.PTXLine != want.line || !strings.Contains(text, want.detail) {
		return []string{fmt.Sprintf("fault %+v, want %+v", *have, *want)}
	}
	return nil
}
