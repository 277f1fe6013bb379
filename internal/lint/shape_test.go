package lint_test

import (
	"bytes"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

const (
	maxFileLines     = 800
	maxFunctionLines = 80
	maxMedianLines   = 12
)

// TestSize bounds files and functions. exceptions.txt lists what is longer, with the reason.
func TestSize(t *testing.T) {
	allow := exceptions(t, "exceptions.txt")
	var lengths []int
	for _, s := range sources(t) {
		if s.generated() {
			continue
		}
		if n := bytes.Count(s.text, []byte("\n")); n > maxFileLines {
			if _, ok := allow[s.path]; ok {
				allow[s.path] = true
			} else {
				t.Errorf("%s has %d lines, more than %d", s.path, n, maxFileLines)
			}
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			if !s.test() {
				lengths = append(lengths, n)
			}
			name := s.path + ":" + f.Name.Name
			if n <= maxFunctionLines {
				continue
			}
			if _, ok := allow[name]; ok {
				allow[name] = true
			} else {
				t.Errorf("%s has %d lines, more than %d", name, n, maxFunctionLines)
			}
		}
	}
	slices.Sort(lengths)
	if m := lengths[len(lengths)/2]; m > maxMedianLines {
		t.Errorf("the median function has %d lines, more than %d", m, maxMedianLines)
	}
	unused(t, "exceptions.txt", allow)
}

// TestUnsafeIsNamed keeps unsafe in files whose name says so.
func TestUnsafeIsNamed(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() || strings.HasSuffix(s.path, "_unsafe.go") || hasUnsafeStem(s.path) {
			continue
		}
		for _, imp := range s.file.Imports {
			if imp.Path.Value == `"unsafe"` {
				t.Errorf("%s imports unsafe; move that code to a file named *_unsafe.go", s.path)
			}
		}
	}
}

// hasUnsafeStem accepts a platform suffix behind it: map_unsafe_linux.go.
func hasUnsafeStem(p string) bool { return strings.Contains(path.Base(p), "_unsafe_") }

// TestExportedNamesAreDocumented wants a comment on every exported name outside tests.
func TestExportedNamesAreDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() || s.generated() || s.file.Name.Name == "main" {
			continue
		}
		for _, d := range s.file.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s has no comment", s.path, name)
			}
		}
	}
}

func undocumented(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		// A comment on a group of constants or variables serves all of it.
		grouped := d.Doc != nil && (d.Tok == token.CONST || d.Tok == token.VAR || len(d.Specs) > 1)
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					if n.IsExported() && !grouped && spec.Doc == nil && spec.Comment == nil {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	typ := d.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

// TestSkips allows skipped tests in cuda/cudatest only, where a device or library may be absent.
func TestSkips(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasPrefix(s.path, "cuda/cudatest/") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if ok && (sel.Sel.Name == "Skip" || sel.Sel.Name == "Skipf" || sel.Sel.Name == "SkipNow") && isTesting(sel.X) {
				t.Errorf("%s skips a test; only cuda/cudatest may", s.fset.Position(call.Pos()))
			}
			return true
		})
	}
}

// isTesting guesses from the usual names of *testing.T, B and F.
func isTesting(x ast.Expr) bool {
	id, ok := x.(*ast.Ident)
	return ok && (id.Name == "t" || id.Name == "b" || id.Name == "f" || id.Name == "tb")
}

// TestInit forbids init functions: importing a package has no effects.
func TestInit(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function; importing has no effects", s.path)
			}
		}
	}
}
