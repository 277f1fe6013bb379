package nvrtc

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tandem-go/tandem/internal/dl"
)

// Program is a translation unit of CUDA C++ and how to compile it.
type Program struct {
	// Source is the text.
	Source string
	// Name is the file name in diagnostics, in line information and in __FILE__; empty means kernel.cu. NVRTC also looks
	// for included files in the folder that it names.
	Name string
	// Arch is the target, such as compute_75 for PTX or sm_90 for machine code together with PTX; empty leaves it to
	// Options, and without one there to NVRTC's default.
	Arch string
	// Options are NVRTC's options in order, one an element; "-I" and its folder may be one element or two.
	Options []string
	// IncludeDirs are folders for #include, searched in order after those of Options.
	IncludeDirs []string
	// Headers are files that exist in memory only. They hide headers of Tandem that have the same name.
	Headers []Header
	// NameExpressions are C++ expressions, such as axpy<float>, whose lowered names are wanted; naming a template instance
	// here also instantiates it.
	NameExpressions []string
	// NoHeaders leaves out Tandem's own headers.
	NoHeaders bool
}

// Header is an include file in memory.
type Header struct{ Name, Text string }

// Result is compiled code.
type Result struct {
	// PTX is the text of the PTX module.
	PTX []byte
	// CUBIN is machine code; nil unless the target was one (sm_XX).
	CUBIN []byte
	// LoweredNames maps each name expression to its PTX symbol.
	LoweredNames map[string]string
	// Diagnostics are the warnings and remarks, and Log is the text that they were read from.
	Diagnostics []Diagnostic
	Log         string
	// Version is the version of NVRTC that compiled.
	Version Version
	// Cached says that the result came from the cache; Elapsed is the time that Compile took.
	Cached  bool
	Elapsed time.Duration
}

// Compile compiles the program, or finds it in the cache.
//
// It returns a *CompileError if NVRTC rejects the source, the options or a name expression, an error that wraps
// ErrInvalidProgram if the program cannot be handed over, an *Error if NVRTC fails otherwise, and context.Cause(ctx) if
// ctx ends first. In the last case NVRTC is asked to stop, which 12.9 and later do between their phases; older versions
// finish in the background. The number of compiles under way is bounded, by GOMAXPROCS or two if that is less, so that
// abandoned ones delay later calls instead of piling up.
func (c *Compiler) Compile(ctx context.Context, p Program) (*Result, error) {
	start := time.Now()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if p.Name == "" {
		p.Name = "kernel.cu"
	}
	if err := p.validate(); err != nil {
		return nil, fmt.Errorf("compile %s: %w", p.Name, err)
	}
	unit := p.unit()
	var key string
	if c.cache != nil {
		key = c.key(unit)
	}
	if key != "" {
		if data, ok := c.cache.Get(key); ok {
			if res, ok := decodeResult(data); ok {
				return c.finish(res, p.Name, true, start), nil
			}
		}
	}
	res, err := c.lib.run(ctx, unit)
	if err != nil {
		return nil, err
	}
	if key != "" {
		// A result that could not be stored is compiled again next time, which is all that happens.
		_ = c.cache.Put(key, encodeResult(res))
	}
	return c.finish(res, p.Name, false, start), nil
}

// finish fills in what is not part of the cached result.
func (c *Compiler) finish(res *Result, name string, cached bool, start time.Time) *Result {
	res.Diagnostics = ParseLog(res.Log)
	res.Version = c.lib.version
	res.Cached = cached
	res.Elapsed = time.Since(start)
	return res
}

// validate reports what C strings cannot carry and what would confuse the order of the options.
func (p *Program) validate() error {
	bad := func(what, s string) error { return fmt.Errorf("%w: %s %q", ErrInvalidProgram, what, s) }
	if i := strings.IndexByte(p.Source, 0); i >= 0 {
		return fmt.Errorf("%w: source has a zero byte at offset %d", ErrInvalidProgram, i)
	}
	hasZero := func(s string) bool { return strings.IndexByte(s, 0) >= 0 }
	if hasZero(p.Name) || hasZero(p.Arch) {
		return bad("zero byte in the name or target", p.Name+" "+p.Arch)
	}
	for i, o := range p.Options {
		takesThis := i > 0 && separateValue[p.Options[i-1]]
		if hasZero(o) || o == "" || !strings.HasPrefix(o, "-") && !takesThis {
			return bad("option", o)
		}
		if p.Arch != "" && !takesThis && isArchOption(o) {
			return bad("the target is given twice, as "+p.Arch+" and by the option", o)
		}
	}
	for _, d := range p.IncludeDirs {
		if hasZero(d) || d == "" {
			return bad("include folder", d)
		}
	}
	for _, h := range p.Headers {
		if h.Name == "" || hasZero(h.Name) || hasZero(h.Text) {
			return bad("header", h.Name)
		}
	}
	for _, e := range p.NameExpressions {
		if strings.TrimSpace(e) == "" || hasZero(e) {
			return bad("name expression", e)
		}
	}
	return nil
}

func isArchOption(o string) bool {
	name := splitOption(o).name
	return name == "gpu-architecture" || name == "arch"
}

// unit is a program as it is handed to NVRTC.
type unit struct {
	source, name             string
	options                  []string
	headerNames, headerTexts []string
	users                    int // how many of the headers, the first ones, are the user's; the rest are Tandem's
	expressions              []string
}

// isOwn reports whether header i is one of Tandem's.
func (u *unit) isOwn(i int) bool { return i >= u.users }

// unit resolves the defaults: the target, the include folders, and the headers of Tandem that the user has not hidden.
func (p *Program) unit() *unit {
	u := &unit{source: p.Source, name: p.Name, expressions: p.NameExpressions}
	if p.Arch != "" {
		u.options = append(u.options, "--gpu-architecture="+p.Arch)
	}
	u.options = append(u.options, p.Options...)
	for _, d := range p.IncludeDirs {
		u.options = append(u.options, "--include-path="+d)
	}
	for _, h := range p.Headers {
		u.headerNames = append(u.headerNames, h.Name)
		u.headerTexts = append(u.headerTexts, h.Text)
	}
	u.users = len(p.Headers)
	if p.NoHeaders {
		return u
	}
	// NVRTC prefers headers in memory to files, so ours must not be there where the user has a file of that name: in an
	// include folder or, for #include "name" only, beside the source.
	dirs := includeDirs(u.options)
	beside := []string{filepath.Dir(p.Name)}
	for _, h := range ownHeaders() {
		quoted := strings.Contains(p.Source, `"`+h.Name+`"`)
		if !slices.Contains(u.headerNames, h.Name) && !existsIn(dirs, h.Name) && !(quoted && existsIn(beside, h.Name)) {
			u.headerNames = append(u.headerNames, h.Name)
			u.headerTexts = append(u.headerTexts, h.Text)
		}
	}
	return u
}

// run compiles u once a slot is free, and returns early when ctx ends.
func (l *library) run(ctx context.Context, u *unit) (*Result, error) {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if ctx.Done() == nil {
		defer func() { <-l.slots }()
		return l.compile(u, nil)
	}
	type outcome struct {
		res *Result
		err error
	}
	done := make(chan outcome, 1)
	cancel := newCancel()
	go func() {
		defer func() { <-l.slots }()
		res, err := l.compile(u, cancel)
		cancel.release()
		done <- outcome{res, err}
	}()
	select {
	case o := <-done:
		return o.res, o.err
	case <-ctx.Done():
		cancel.stop()
		return nil, context.Cause(ctx)
	}
}

// compile makes the calls of one compilation. The program exists only within it.
func (l *library) compile(u *unit, cancel *cancel) (*Result, error) {
	var prog uintptr
	rc := l.status(dl.NewFrame().Word(&prog).String(u.source).String(u.name).Int(uintptr(len(u.headerNames))).
		Strings(dl.NewStringVector(u.headerTexts)).Strings(dl.NewStringVector(u.headerNames)).Call(l.fn.create))
	if rc != success {
		return nil, l.failure("create the program "+u.name, rc)
	}
	// What remains of a program that cannot be destroyed is lost memory, nothing more.
	defer func() { dl.NewFrame().Word(&prog).Call(l.fn.destroy) }()
	for _, e := range u.expressions {
		if rc := l.status(dl.NewFrame().Int(prog).String(e).Call(l.fn.addName)); rc != success {
			return nil, l.failure("add the name expression "+e, rc)
		}
	}
	cancel.attach(l, prog)
	rc = l.status(dl.NewFrame().Int(prog).Int(uintptr(len(u.options))).Strings(dl.NewStringVector(u.options)).Call(l.fn.compile))
	log, err := l.text(prog, l.fn.logSize, l.fn.log, "read the log of "+u.name)
	switch {
	case rc == codeCompilation || rc == codeInvalidOption:
		return nil, l.rejected(u, string(log), rc)
	case rc != success:
		e := l.failure("compile "+u.name, rc)
		e.Log = string(log)
		return nil, e
	case err != nil:
		return nil, err
	}
	return l.collect(u, prog, string(log))
}

// collect reads the results of a successful compilation.
func (l *library) collect(u *unit, prog uintptr, log string) (res *Result, err error) {
	res = &Result{Log: log, LoweredNames: make(map[string]string, len(u.expressions))}
	for _, e := range u.expressions {
		var p uintptr
		switch rc := l.status(dl.NewFrame().Int(prog).String(e).Word(&p).Call(l.fn.loweredName)); rc {
		case success:
			res.LoweredNames[e] = dl.GoString(p)
		case codeInvalidName:
			return nil, l.rejected(u, "name expression "+e+" names nothing", rc)
		default:
			return nil, l.failure("look up the lowered name of "+e, rc)
		}
	}
	if res.PTX, err = l.text(prog, l.fn.ptxSize, l.fn.ptx, "read the PTX of "+u.name); err != nil {
		return nil, err
	}
	if !targetsMachine(u.options) {
		return res, nil
	}
	res.CUBIN, err = l.blob(prog, l.fn.cubinSize, l.fn.cubin, "read the machine code of "+u.name)
	return res, err
}

func (l *library) rejected(u *unit, log string, rc Code) *CompileError {
	return &CompileError{File: u.name, Log: log, Diagnostics: ParseLog(log), Code: rc, Name: l.failure("", rc).Name}
}

// text reads one of a program's texts, without its terminating zero.
func (l *library) text(prog uintptr, size, get dl.Func, op string) ([]byte, error) {
	b, err := l.blob(prog, size, get, op)
	if n := len(b); n > 0 && b[n-1] == 0 {
		b = b[:n-1]
	}
	return b, err
}

func (l *library) blob(prog uintptr, size, get dl.Func, op string) ([]byte, error) {
	var n uintptr
	if rc := l.status(dl.NewFrame().Int(prog).Word(&n).Call(size)); rc != success {
		return nil, l.failure(op, rc)
	}
	if n == 0 {
		return nil, nil
	}
	b := make([]byte, n)
	if rc := l.status(dl.NewFrame().Int(prog).Bytes(b).Call(get)); rc != success {
		return nil, l.failure(op, rc)
	}
	return b, nil
}
