// Package gen writes Go packages from CUDA C++: the kernels of a file, compiled to embedded PTX, and one Go method for each
// kernel with the names and types of its parameters.
//
// What it writes needs no compiler where it is used, and no Tandem command. Whether it still belongs to its source is told
// by hashes in the first lines of the Go file, which Check compares without a compiler.
package gen

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tandem-go/tandem/cuda"
)

// Spec says what to generate. It stands in the generated file as JSON.
type Spec struct {
	// Source is the .cu file, in the folder of the output.
	Source string `json:"source"`
	// Package is the name of the Go package, Name that of the type that holds the kernels.
	Package string `json:"package"`
	Name    string `json:"name"`
	// Targets are the compute capabilities to compile for, as 75 for 7.5, ascending.
	Targets []int `json:"targets"`
	// Options are NVRTC's options, IncludeDirs folders for #include from the folder of the source, and Instances the
	// templates to instantiate, such as "axpy<float>".
	Options     []string `json:"options,omitempty"`
	IncludeDirs []string `json:"include,omitempty"`
	Instances   []string `json:"instances,omitempty"`
}

// File is one generated file.
type File struct {
	// Name is its base name; it belongs beside the source.
	Name string
	Text []byte
}

// ErrSpec is wrapped by errors about the Spec or about source that has no Go form.
var ErrSpec = errors.New("cannot generate")

// fill sets what was left out and checks the rest. dir is the folder of the source.
func (s *Spec) fill(dir string) error {
	if filepath.Ext(s.Source) != ".cu" || s.Source != filepath.Base(s.Source) {
		return fmt.Errorf("%w from %q: want a .cu file", ErrSpec, s.Source)
	}
	stem := strings.TrimSuffix(s.Source, ".cu")
	if s.Name == "" {
		s.Name = exported(stem)
	}
	if !token.IsIdentifier(s.Name) || !token.IsExported(s.Name) {
		return fmt.Errorf("%w type %q: want an exported Go name", ErrSpec, s.Name)
	}
	if s.Package == "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSpec, err)
		}
		s.Package = strings.ToLower(strings.Map(identifierRune, filepath.Base(abs)))
	}
	if !token.IsIdentifier(s.Package) {
		return fmt.Errorf("%w package %q: want a Go name", ErrSpec, s.Package)
	}
	if len(s.Targets) == 0 {
		s.Targets = []int{75}
	}
	slices.Sort(s.Targets)
	s.Targets = slices.Compact(s.Targets)
	for _, o := range s.Options {
		if name, _, _ := strings.Cut(o, "="); name == "--gpu-architecture" || name == "-arch" {
			return fmt.Errorf("%w with option %s: targets are given apart", ErrSpec, o)
		}
	}
	return nil
}

// Target reads a target: "75", "7.5" or "compute_75".
func Target(s string) (int, error) {
	digits := strings.ReplaceAll(strings.TrimPrefix(s, "compute_"), ".", "")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 50 || n > 999 {
		return 0, fmt.Errorf("%w for target %q: want a compute capability such as 7.5 or compute_90", ErrSpec, s)
	}
	return n, nil
}

// Generate compiles dir/s.Source and returns the files that belong into dir, the Go file last. log is what the compiler
// warned of. Errors are those of cuda.CompilePTX, or wrap ErrSpec.
func Generate(ctx context.Context, dir string, s Spec) (files []File, log string, err error) {
	if err := s.fill(dir); err != nil {
		return nil, "", err
	}
	text, err := os.ReadFile(filepath.Join(dir, s.Source))
	if err != nil {
		return nil, "", err
	}
	for _, t := range s.Targets {
		ptx, said, err := cuda.CompilePTX(ctx, string(text), s.config(dir, t))
		if err != nil {
			return nil, log, err
		}
		if log == "" {
			log = said // it is about the source, so one target's will do
		}
		files = append(files, File{s.ptxName(t), ptx})
	}
	kernels, err := cuda.Signatures(ctx, string(text), s.config(dir, s.Targets[0]))
	if err != nil {
		return nil, log, err
	}
	if len(kernels) == 0 {
		return nil, log, fmt.Errorf("%w from %s: it has no kernels; a kernel is a __global__ function, and a template must be instantiated", ErrSpec, s.Source)
	}
	w := &writer{spec: &s, types: map[string]string{}}
	body, err := w.file(kernels)
	if err != nil {
		return nil, log, err
	}
	body = append([]byte("\n"), body...) // so that the head is no package comment
	inputs, err := s.inputs(dir)
	if err != nil {
		return nil, log, err
	}
	head, err := s.header(inputs, outputs(body, files))
	if err != nil {
		return nil, log, err
	}
	return append(files, File{s.goName(), append(head, body...)}), log, nil
}

func (s *Spec) config(dir string, target int) cuda.CompileConfig {
	cfg := cuda.CompileConfig{Name: s.Source, NameExpressions: s.Instances, IncludeDirs: []string{dir}}
	cfg.Options = append(slices.Clone(s.Options), fmt.Sprintf("--gpu-architecture=compute_%d", target))
	for _, d := range s.IncludeDirs {
		if !filepath.IsAbs(d) {
			d = filepath.Join(dir, d)
		}
		cfg.IncludeDirs = append(cfg.IncludeDirs, d)
	}
	return cfg
}

// suffix ends the names of generated Go files.
const suffix = "_tandem.go"

func (s *Spec) goName() string { return strings.TrimSuffix(s.Source, ".cu") + suffix }

func (s *Spec) ptxName(target int) string {
	return fmt.Sprintf("%s_compute_%d.ptx", strings.TrimSuffix(s.Source, ".cu"), target)
}

// exported makes an exported Go name of a C++ one: multiply_them becomes MultiplyThem, axpy<float> AxpyFloat.
func exported(name string) string {
	var b strings.Builder
	upper := true
	for _, r := range name {
		switch {
		case identifierRune(r) < 0 || r == '_':
			upper = true
		case upper && unicode.IsDigit(r) && b.Len() == 0:
			b.WriteString("N")
			b.WriteRune(r)
			upper = false
		case upper:
			b.WriteRune(unicode.ToUpper(r))
			upper = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unexported makes a Go name that is not exported.
func unexported(name string) string {
	e := exported(name)
	for i, r := range e {
		if i > 0 && (unicode.IsLower(r) || i < len(e)-1 && unicode.IsLower(rune(e[i+1]))) {
			break
		}
		e = e[:i] + string(unicode.ToLower(r)) + e[i+len(string(r)):]
	}
	return e
}

// identifierRune keeps the runes of identifiers.
func identifierRune(r rune) rune {
	if r == '_' || r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
		return r
	}
	return -1
}
