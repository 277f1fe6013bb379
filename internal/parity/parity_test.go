package parity_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver/drivertest"
	"github.com/tandem-go/tandem/internal/parity"
)

var rewrite = flag.Bool("rewrite", false, "write docs/parity.md and docs/pycuda.md anew")

// root is the folder of the module.
const root = "../.."

// declared returns the names that the files of a folder declare: "Name" and "Type.Method".
func declared(t *testing.T, folder string, tests bool) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files, folder)
	names := map[string]bool{}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") != tests {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range tree.Decls {
			declare(names, d)
		}
	}
	return names
}

func declare(names map[string]bool, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			name = receiver(d.Recv.List[0].Type) + "." + name
		}
		names[name] = true
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names[n.Name] = true
				}
			case *ast.TypeSpec:
				names[s.Name.Name] = true
				if st, ok := s.Type.(*ast.StructType); ok {
					for _, f := range st.Fields.List {
						for _, n := range f.Names {
							names[s.Name.Name+"."+n.Name] = true
						}
					}
				}
			}
		}
	}
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// folders are the packages whose names rows use with a prefix.
var folders = map[string]string{"kernels": "kernels", "array": "kernels/array", "elementwise": "kernels/elementwise", "reduction": "kernels/reduction", "scan": "kernels/scan", "random": "kernels/random", "cudatest": "cuda/cudatest", "hetero": "hostpar/hetero", "mpi": "hostpar/mpi", "gl": "interop/gl", "dlpack": "interop/dlpack"}

// A row that is said to work names identifiers that exist and a test that exists; one that is dropped says why.
func TestRowsAreTrue(t *testing.T) {
	decls, tests := map[string]map[string]bool{}, map[string]map[string]bool{}
	look := func(cache map[string]map[string]bool, folder string, isTest bool) map[string]bool {
		if cache[folder] == nil {
			cache[folder] = declared(t, folder, isTest)
		}
		return cache[folder]
	}
	kit := drivertest.Names()
	seen := map[string]bool{}
	for _, s := range parity.Sections() {
		for _, r := range s.Rows {
			require.False(t, seen[r.ID], "row %s stands twice", r.ID)
			seen[r.ID] = true
			require.NotEmpty(t, r.State.String(), r.ID)
			if r.State == parity.Dropped {
				require.NotEmpty(t, r.Note, "row %s is dropped without a reason", r.ID)
			}
			if r.State != parity.Both && r.State != parity.GPUOnly {
				continue
			}
			require.NotEmpty(t, r.Test, "row %s has no test", r.ID)
			for _, name := range strings.Fields(r.Go) {
				folder := "cuda"
				if prefix, rest, ok := strings.Cut(name, "."); ok && folders[prefix] != "" {
					folder, name = folders[prefix], rest
				}
				require.True(t, look(decls, folder, false)[name], "row %s: %s does not declare %s", r.ID, folder, name)
			}
			for _, name := range strings.Fields(r.Test) {
				folder, test, ok := cutLast(name)
				require.True(t, ok, "row %s: test %s", r.ID, name)
				if folder == "kit" {
					require.True(t, slices.Contains(kit, test), "row %s: the kit has no check %s", r.ID, test)
					continue
				}
				require.True(t, look(tests, folder, true)[test], "row %s: no test %s in %s", r.ID, test, folder)
			}
		}
	}
	require.Len(t, seen, 129+40+25)
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// TestNames: every name of PyCUDA that is listed has a row about PyCUDA, and every such row that is not about more than names has a
// name.
func TestNames(t *testing.T) {
	rows := map[string]bool{}
	for _, s := range parity.Sections()[:parity.PyCUDASections] {
		for _, r := range s.Rows {
			rows[r.ID] = false
		}
	}
	seen := map[string]bool{}
	for _, n := range parity.PyCUDANames {
		_, ok := rows[n.Row]
		require.True(t, ok, "%s: there is no row %s about PyCUDA", n.Names, n.Row)
		rows[n.Row] = true
		for _, name := range strings.Fields(n.Names) {
			require.False(t, seen[n.Module+" "+name], "%s stands twice in %s", name, n.Module)
			seen[n.Module+" "+name] = true
		}
	}
	for _, row := range strings.Fields("V5 A6 A8 F7 E5 K4 K6 K7 K8 G6 G7 G8 G15 G16 Z1 Z2 Z7") {
		rows[row] = true // syntax, files, variables, undocumented modules, and what PyCUDA does not have
	}
	for row, named := range rows {
		require.True(t, named, "no name belongs to row %s", row)
	}
}

func TestDocuments(t *testing.T) {
	for name, text := range map[string]string{"parity.md": parity.Document(), "pycuda.md": parity.PyCUDA()} {
		path := filepath.Join(root, "docs", name)
		if *rewrite {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
		have, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(have), "docs/%s is stale: run make golden", name)
	}
}
