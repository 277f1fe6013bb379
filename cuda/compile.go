package cuda

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tandem-go/tandem/internal/ksig"
	"github.com/tandem-go/tandem/internal/nvrtc"
)

// CompileConfig says how source is compiled. The zero value is right for most programs.
type CompileConfig struct {
	_ struct{}
	// Name is the file name in messages; empty means "kernel.cu".
	Name string
	// Options are NVRTC's options in order, one an element, such as "--use_fast_math" or "-DN=16". They come after
	// "-lineinfo", and after "--std=c++17" unless they choose a standard. They may choose the target.
	Options []string
	// IncludeDirs are folders for #include.
	IncludeDirs []string
	// Headers are include files in memory: name → text.
	Headers map[string]string
	// NameExpressions are C++ names of template instances, such as "axpy<float>": they are instantiated, and
	// Module.Function and Module.Global take them.
	NameExpressions []string
	// NoCache compiles even if the result is known, and keeps nothing.
	NoCache bool
	// Embedded is PTX that CompilePTX (or `tandem compile`) made from the same source, options and name expressions. It is
	// used where NVRTC is not found, and only then; if the source was changed since, that is an error. Module.Compiler
	// tells which it was.
	Embedded []byte
}

// Severity says how bad a diagnostic is.
type Severity string

// The severities of diagnostics.
const (
	SeverityRemark  Severity = "remark"
	SeverityWarning Severity = "warning"
	SeverityError   Severity = "error"
)

// Diagnostic is one message of the compiler.
type Diagnostic struct {
	// File, Line and Column are the position; Column, or Line and Column, are 0 where the compiler does not tell.
	File         string
	Line, Column int
	Severity     Severity
	Message      string
}

// String returns "file:line: severity: message" with what is known of the position.
func (d Diagnostic) String() string {
	var b strings.Builder
	if d.File != "" {
		b.WriteString(d.File + ":")
		if d.Line > 0 {
			fmt.Fprintf(&b, "%d:", d.Line)
		}
		if d.Column > 0 {
			fmt.Fprintf(&b, "%d:", d.Column)
		}
		b.WriteByte(' ')
	}
	fmt.Fprintf(&b, "%s: %s", d.Severity, d.Message)
	return b.String()
}

// CompileError says that source, an option or a name expression was rejected.
type CompileError struct {
	// Name is the file name of the source.
	Name string
	// Diagnostics are the compiler's messages in order, warnings included.
	Diagnostics []Diagnostic
	// Log is all that the compiler wrote.
	Log string
	// Options are the options that it was given, Source the text.
	Options []string
	Source  string

	text string
}

// Error gives the first error with its position, and how many more there are.
func (e *CompileError) Error() string { return e.text }

// Numbered is the source around each error, with line numbers and the messages under their lines: context lines before and
// after, or all of the source if context is negative.
func (e *CompileError) Numbered(context int) string {
	messages := map[int][]string{}
	var lines []int
	for _, d := range e.Diagnostics {
		if d.File == e.Name && d.Line > 0 && d.Severity == SeverityError {
			messages[d.Line] = append(messages[d.Line], d.Message)
			lines = append(lines, d.Line)
		}
	}
	near := func(n int) bool {
		return context < 0 || slices.ContainsFunc(lines, func(l int) bool { return n >= l-context && n <= l+context })
	}
	var b strings.Builder
	n, gap := 0, false
	for text := range strings.Lines(e.Source) {
		if n++; !near(n) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteString("  ...\n")
			gap = false
		}
		fmt.Fprintf(&b, "%5d | %s\n", n, strings.TrimRight(text, "\r\n"))
		for _, m := range messages[n] {
			fmt.Fprintf(&b, "      ^ %s\n", m)
		}
	}
	return b.String()
}

// compiler is what this package needs of NVRTC.
type compiler interface {
	Compile(ctx context.Context, p nvrtc.Program) (*nvrtc.Result, error)
	SupportedArchs() []int
	Version() nvrtc.Version
	// Parameters returns what debug information tells of the parameters of those of the kernels of p that it knows.
	Parameters(ctx context.Context, p nvrtc.Program, symbols []string) (map[string][]ksig.Source, error)
}

// library is the compiler that NVRTC is.
type library struct{ *nvrtc.Compiler }

// Parameters compiles the program once more, with -G and without optimisation; NVRTC's cache keeps the result.
func (l library) Parameters(ctx context.Context, p nvrtc.Program, symbols []string) (map[string][]ksig.Source, error) {
	info, err := l.DebugInfo(ctx, p)
	if err != nil {
		return nil, err
	}
	found := map[string][]ksig.Source{}
	for _, s := range symbols {
		// A kernel that the debug information does not have, or describes in a way that cannot be read, is checked by
		// its PTX alone.
		if params, err := info.Parameters(s); err == nil {
			found[s] = params
		}
	}
	return found, nil
}

// openCompiler finds NVRTC. Libraries stay loaded, so opening again is cheap; tests put another compiler here.
var openCompiler = func(noCache bool) (compiler, error) {
	c, err := nvrtc.Open(nvrtc.Config{NoCache: noCache})
	if err != nil {
		return nil, err
	}
	return library{c}, nil
}

// openedCompilers keeps the compilers of the process, with and without cache. A failed search is repeated: the library
// may have been installed meanwhile.
var openedCompilers struct {
	sync.Mutex
	by map[bool]compiler
}

func findCompiler(noCache bool) (compiler, error) {
	openedCompilers.Lock()
	defer openedCompilers.Unlock()
	if c := openedCompilers.by[noCache]; c != nil {
		return c, nil
	}
	c, err := openCompiler(noCache)
	if err != nil {
		return nil, err
	}
	if openedCompilers.by == nil {
		openedCompilers.by = map[bool]compiler{}
	}
	openedCompilers.by[noCache] = c
	return c, nil
}

// build is how a module was compiled, for reading its debug information.
type build struct {
	compiler compiler
	program  nvrtc.Program
}

// Compile compiles CUDA C++ with NVRTC for the device and loads the result. Source that does not compile gives a
// *CompileError; without NVRTC the error wraps ErrNoCompiler and lists where it was looked for; inline assembly that is
// wrong gives an error that wraps ErrInvalidPTX. Results are kept in a cache on disk. When ctx ends, Compile returns an
// error that wraps context.Cause(ctx).
func (d *Device) Compile(ctx context.Context, source string, cfg CompileConfig) (*Module, error) {
	if cfg.Name == "" {
		cfg.Name = "kernel.cu"
	}
	op := "compile " + cfg.Name
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	comp, err := findCompiler(cfg.NoCache)
	if errors.Is(err, nvrtc.ErrNotFound) {
		if cfg.Embedded != nil {
			return d.loadEmbedded(op, source, cfg, err)
		}
		return nil, &noCompiler{op, err}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return d.compile(ctx, op, comp, source, cfg)
}

// compile is Compile with a compiler.
func (d *Device) compile(ctx context.Context, op string, comp compiler, source string, cfg CompileConfig) (*Module, error) {
	p := cfg.program(source)
	var err error
	if !choosesTarget(cfg.Options) {
		if p.Arch, err = d.target(op, comp); err != nil {
			return nil, err
		}
	}
	var res *nvrtc.Result
	labelled(ctx, op, func(ctx context.Context) { res, err = comp.Compile(ctx, p) })
	if err != nil {
		return nil, compileError(op, err, p)
	}
	image := res.PTX
	if len(res.CUBIN) > 0 && d.c.caps.LoadsCubin {
		image = res.CUBIN
	}
	load := LoadConfig{Name: ptxName(cfg.Name), LineInfo: true}
	m, err := d.loadImage(op, image, res.PTX, load)
	if d.c.caps.LoadsCubin && tooNew(err, logOf(err)) {
		m, err = d.compileNew(ctx, op, comp, p, res, load, err)
	}
	if err != nil {
		return nil, err
	}
	m.name, m.lowered, m.built = cfg.Name, res.LoweredNames, &build{comp, p}
	m.log = strings.TrimSpace(strings.TrimSpace(res.Log) + "\n" + m.log)
	return m, nil
}

// compileNew goes on when the driver is too old for the PTX of res: it compiles to machine code with NVRTC, else with
// nvJitLink.
func (d *Device) compileNew(ctx context.Context, op string, comp compiler, p nvrtc.Program, res *nvrtc.Result, load LoadConfig, refused error) (*Module, error) {
	code, err := d.machineCode(ctx, comp, p)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %w", op, context.Cause(ctx))
	}
	if err != nil || len(code.CUBIN) == 0 {
		return d.loadNew(op, res.PTX, load, refused, err)
	}
	m, err := d.loadImage(op, code.CUBIN, code.PTX, load)
	if err == nil {
		m.log = strings.TrimSpace("compiled to machine code: " + describeVersions(res.PTX, d.driverVersion) + "\n" + m.log)
	}
	return m, err
}

// ptxName names the PTX of a source for positions in it.
func ptxName(source string) string {
	return strings.TrimSuffix(source, ".cu") + ".ptx"
}

// program is the source with its options, target apart.
func (cfg *CompileConfig) program(source string) nvrtc.Program {
	p := nvrtc.Program{Source: source, Name: cfg.Name, IncludeDirs: cfg.IncludeDirs, NameExpressions: cfg.NameExpressions}
	p.Options = append(p.Options, "-lineinfo")
	if !slices.ContainsFunc(cfg.Options, choosesStandard) {
		p.Options = append(p.Options, "--std=c++17")
	}
	p.Options = append(p.Options, cfg.Options...)
	for name, text := range cfg.Headers {
		p.Headers = append(p.Headers, nvrtc.Header{Name: name, Text: text})
	}
	// The order of a map differs from run to run; the cache's key must not.
	slices.SortFunc(p.Headers, func(a, b nvrtc.Header) int { return strings.Compare(a.Name, b.Name) })
	return p
}

func choosesStandard(option string) bool {
	return strings.HasPrefix(option, "--std=") || strings.HasPrefix(option, "-std=")
}

func choosesTarget(options []string) bool {
	return slices.ContainsFunc(options, func(o string) bool {
		name, _, _ := strings.Cut(o, "=")
		return name == "--gpu-architecture" || name == "-arch"
	})
}

// target chooses what to compile for. The host device takes PTX for its own capability. For a GPU it is machine code for
// the newest architecture of the GPU's generation that NVRTC knows and that is not newer than the GPU, since machine
// code runs on later devices of one generation only; else PTX for the newest architecture that is not newer, which the
// driver compiles.
func (d *Device) target(op string, comp compiler) (string, error) {
	have := d.info.ComputeMajor*10 + d.info.ComputeMinor
	best, newest := 0, 0
	for _, a := range comp.SupportedArchs() {
		newest = max(newest, a)
		if a <= have {
			best = max(best, a)
		}
	}
	switch {
	case best == 0:
		return "", misused(op, ErrNotSupported, "NVRTC %v compiles for compute capability %s and later, %s has %d.%d; use an older NVRTC",
			comp.Version(), oldest(comp.SupportedArchs()), d.c.name, d.info.ComputeMajor, d.info.ComputeMinor)
	case d.c.caps.LoadsCubin && newest >= have && best/10 == have/10:
		return fmt.Sprintf("sm_%d", best), nil
	}
	return fmt.Sprintf("compute_%d", best), nil
}

func oldest(archs []int) string {
	if len(archs) == 0 {
		return "none"
	}
	a := slices.Min(archs)
	return fmt.Sprintf("%d.%d", a/10, a%10)
}

// noCompiler is the error of a Compile without NVRTC.
type noCompiler struct {
	op  string
	err error
}

// Error returns "compile kernel.cu: NVRTC not found; ...; tried: ...".
func (e *noCompiler) Error() string { return e.op + ": " + e.err.Error() }

// Unwrap returns ErrNoCompiler.
func (e *noCompiler) Unwrap() []error { return []error{ErrNoCompiler, e.err} }

// compileError turns an error of package nvrtc into one of this package.
func compileError(op string, err error, p nvrtc.Program) error {
	var rejected *nvrtc.CompileError
	if !errors.As(err, &rejected) {
		return fmt.Errorf("%s: %w", op, err)
	}
	e := &CompileError{Name: rejected.File, Log: rejected.Log, Options: p.Options, Source: p.Source, text: rejected.Error()}
	for _, d := range rejected.Diagnostics {
		s := SeverityRemark
		switch {
		case d.Severity >= nvrtc.SeverityError:
			s = SeverityError
		case d.Severity == nvrtc.SeverityWarning:
			s = SeverityWarning
		}
		e.Diagnostics = append(e.Diagnostics, Diagnostic{d.File, d.Line, d.Column, s, d.Message})
	}
	return e
}

// sources returns what debug information tells of the parameters of each kernel, which costs a second compile. Kernels
// of which it does not tell, and all of them if that compile fails, are missing. The error is that of ctx only.
func (m *Module) sources(ctx context.Context) (map[string][]ksig.Source, error) {
	select {
	case m.reading <- struct{}{}:
		defer func() { <-m.reading }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if m.debug != nil || m.built == nil {
		return m.debug, nil
	}
	found, err := m.built.compiler.Parameters(ctx, m.built.program, m.Kernels())
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if m.debug = found; found == nil {
		m.debug = map[string][]ksig.Source{}
	}
	return m.debug, nil
}
