// Package devcode compiles the device code of files that were written for nvcc.
//
// NVRTC takes no host code. A Tree reads a file with its headers, leaves out host code, empties headers that are not found,
// and leaves out, one by one, the declarations that NVRTC rejects. Lines keep their numbers.
package devcode

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/cuda"
)

// Tree is a folder of source files. Its methods may be called from any goroutine.
type Tree struct {
	include []string
	sources []string
	files   map[string][]string // paths by their last element
}

// Scan lists a folder. The headers of the CUDA toolkit are found in the folders include.
func Scan(root string, include []string) (*Tree, error) {
	t := &Tree{include: include, files: map[string][]string{}}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		t.files[d.Name()] = append(t.files[d.Name()], path)
		if filepath.Ext(path) == ".cu" {
			t.sources = append(t.sources, path)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Sources are the paths of the .cu files in lexical order.
func (t *Tree) Sources() []string { return t.sources }

// Find returns the paths that end in the elements of tail, in lexical order.
func (t *Tree) Find(tail string) (paths []string) {
	for _, p := range t.files[filepath.Base(tail)] {
		if s := filepath.ToSlash(p); s == tail || strings.HasSuffix(s, "/"+tail) {
			paths = append(paths, p)
		}
	}
	return paths
}

// Program is one file on its way to the compiler. It is for one goroutine at a time.
type Program struct {
	// Path is where the file was read.
	Path string
	// Text is the file as it was read.
	Text string
	// Kernels are the names of the kernels that the file itself defines.
	Kernels []string
	// Instances are the template instances to compile, at first those that the file launches. Compile drops those that
	// the compiler rejects.
	Instances []string
	// Rejected are the messages for which Compile left something out.
	Rejected []string
	// Include are the folders with headers of the CUDA toolkit, at first those of the Tree.
	Include []string

	chunks  []chunk
	headers map[string]string
	pieces  map[string][]chunk // of headers
}

// Read reads a file and the headers that it includes.
func (t *Tree) Read(path string) (*Program, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &Program{Path: path, Text: string(text), Kernels: kernels(string(text)), Include: t.include,
		headers: map[string]string{}, pieces: map[string][]chunk{}}
	p.chunks = split(t.includes(p, filepath.Dir(path), p.Text, 0))
	p.Instances = instances(p.Text, p.Kernels)
	return p, nil
}

// Source is what Compile gives the compiler now.
func (p *Program) Source() string { return join(p.chunks) }

var includeLine = regexp.MustCompile(`(?m)^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]`)

// toolkit are the headers of the CUDA toolkit that declare what device code uses; others of it are for host code.
var toolkit = regexp.MustCompile(`^(cooperative_groups|cuda_fp16|cuda_bf16|cuda_fp8|mma\.|cuda_pipeline|cuda_awbarrier|cuComplex|math_constants|cuda/|nv/|curand)`)

// own are headers that the compiler package brings.
var own = set(`assert.h builtin_types.h cassert cfloat cinttypes climits cmath cstdbool cstddef cstdint cstdio cstdlib cstring cuda.h cuda_runtime.h cuda_runtime_api.h device_atomic_functions.h device_functions.h device_launch_parameters.h driver_types.h float.h inttypes.h limits.h math.h math_constants.h math_functions.h sm_20_intrinsics.h sm_30_intrinsics.h sm_35_intrinsics.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h surface_types.h texture_types.h vector_functions.h vector_types.h sys/types.h`)

func set(names string) map[string]bool {
	out := map[string]bool{}
	for _, n := range strings.Fields(names) {
		out[n] = true
	}
	return out
}

// includes collects the headers that a text includes, host code left out, and returns the text.
func (t *Tree) includes(p *Program, dir, text string, depth int) string {
	for _, m := range includeLine.FindAllStringSubmatch(text, -1) {
		name := m[2]
		if _, done := p.headers[name]; done || own[name] || toolkit.MatchString(name) && t.provided(name) {
			continue
		}
		path := t.find(dir, name)
		if path == "" || depth > 20 {
			p.headers[name] = ""
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		p.headers[name] = "" // for headers that include each other
		p.pieces[name] = split(t.includes(p, filepath.Dir(path), string(b), depth+1))
		p.headers[name] = join(p.pieces[name])
	}
	return text
}

// provided reports whether a folder with headers of the toolkit has the header.
func (t *Tree) provided(name string) bool {
	return slices.ContainsFunc(t.include, func(dir string) bool { return isFile(filepath.Join(dir, name)) })
}

// find looks for an included file beside the file that includes it, and then everywhere in the folder.
func (t *Tree) find(dir, name string) string {
	if path := filepath.Join(dir, name); isFile(path) {
		return path
	}
	best, shared := "", -1
	for _, path := range t.files[filepath.Base(name)] {
		if !strings.HasSuffix(filepath.ToSlash(path), "/"+strings.TrimPrefix(strings.ReplaceAll(name, "../", ""), "./")) {
			continue
		}
		if n := common(path, dir); n > shared {
			best, shared = path, n
		}
	}
	return best
}

func isFile(path string) bool {
	i, err := os.Stat(path)
	return err == nil && i.Mode()&fs.ModeType == 0
}

func common(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// instances returns the template instances that a file launches.
func instances(text string, names []string) []string {
	set := map[string]bool{}
	for _, name := range names {
		launch := regexp.MustCompile(`\b(` + name + `\s*<[^<>;(){}]*>)\s*<<<`)
		for _, m := range launch.FindAllStringSubmatch(text, -1) {
			set[m[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// attempts bounds how many declarations are left out of a file.
const attempts = 60

var errorLine = regexp.MustCompile(`(?m)^\S*?([^/\s(]+)\((\d+)\): (?:catastrophic )?error: (.*)$`)

// Compile compiles the file for a device and leaves out, declaration by declaration, what NVRTC rejects; what was left out
// once stays out. Options are NVRTC's. If what remains has no kernel, or cannot be repaired so, the error is the compiler's.
func (p *Program) Compile(ctx context.Context, dev *cuda.Device, options ...string) (*cuda.Module, error) {
	var last error
	for range attempts {
		mod, err := dev.Compile(ctx, join(p.chunks), cuda.CompileConfig{
			Name: filepath.Base(p.Path), Headers: p.headers, IncludeDirs: p.Include, NameExpressions: p.Instances,
			Options: append([]string{"-default-device", "-w"}, options...),
		})
		if err == nil {
			return mod, nil
		}
		var e *cuda.CompileError
		if !errors.As(err, &e) {
			return nil, err
		}
		last = err
		if strings.Contains(e.Log, "__nv_name_map") && len(p.Instances) > 0 {
			p.Instances = without(p.Instances, e.Log)
			continue
		}
		if !p.leaveOut(e.Log) || !p.hasKernel() {
			return nil, err
		}
	}
	return nil, last
}

// hasKernel reports whether a kernel is left.
func (p *Program) hasKernel() bool {
	if len(kernels(join(p.chunks))) > 0 {
		return true
	}
	for _, text := range p.headers {
		if len(kernels(text)) > 0 {
			return true
		}
	}
	return false
}

// without drops the name expressions that a log rejects, all of them if it does not say which.
func without(exprs []string, log string) []string {
	var left []string
	for _, e := range exprs {
		if !strings.Contains(log, `"`+e+`"`) && !strings.Contains(log, " "+e) {
			left = append(left, e)
		}
	}
	if len(left) == len(exprs) {
		return nil
	}
	return left
}

// leaveOut removes the declarations of the file and its headers in which the errors of a log lie. It reports false if there
// is none.
func (p *Program) leaveOut(log string) bool {
	done := false
	for _, m := range errorLine.FindAllStringSubmatch(log, -1) {
		var line int
		fmt.Sscan(m[2], &line)
		p.Rejected = append(p.Rejected, m[1]+":"+m[2]+": "+m[3])
		if m[1] == filepath.Base(p.Path) {
			done = drop(p.chunks, line) || done
			continue
		}
		for name, pieces := range p.pieces {
			if filepath.Base(name) == m[1] && drop(pieces, line) {
				p.headers[name], done = join(pieces), true
			}
		}
	}
	return done
}

// drop leaves out the chunk that the line is part of.
func drop(chunks []chunk, line int) bool {
	for i := range slices.Backward(chunks) {
		c := &chunks[i]
		code := strings.TrimSpace(uncommented(c.text))
		if c.line > line || !c.keep || code == "" || code[0] == '#' || code == "}" || opens.MatchString(strings.TrimSuffix(code, "{")) {
			continue
		}
		if c.line+strings.Count(strings.TrimLeft(c.text, " \t\r\n"), "\n") < line {
			return false
		}
		c.keep = false
		return true
	}
	return false
}

// FirstError is the first error of the compiler without its position.
func FirstError(err error) string {
	var e *cuda.CompileError
	if errors.As(err, &e) {
		if m := errorLine.FindStringSubmatch(e.Log); m != nil {
			return m[3]
		}
	}
	return strings.SplitN(err.Error(), "\n", 2)[0]
}
