package mpi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// topLevel returns the names that this package's files declare, of its tests and of the rest.
func topLevel(t *testing.T) (code, tests map[string]bool) {
	code, tests = map[string]bool{}, map[string]bool{}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		into := code
		if strings.HasSuffix(name, "_test.go") {
			into = tests
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					into[d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						into[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range s.Names {
							into[n.Name] = true
						}
					}
				}
			}
		}
	}
	return code, tests
}

// The section about mpi4py names nothing that does not exist, leaves out no exported function, and has a test or a reason
// in each row.
func TestPythonPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/python.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "\n## mpi4py\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	code, tests := topLevel(t)
	named, rows := map[string]bool{}, 0
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "---") || strings.Contains(cells[1], "Python") {
			continue
		}
		rows++
		for _, m := range regexp.MustCompile("`mpi\\.(\\w+)`").FindAllStringSubmatch(cells[2], -1) {
			require.True(t, code[m[1]], "%s does not exist", m[0])
			named[m[1]] = true
		}
		shown := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(cells[3], -1)
		for _, m := range shown {
			require.True(t, tests[m[1]], "%s does not exist", m[1])
		}
		if !strings.HasPrefix(cells[2], " none") {
			require.NotEmpty(t, shown, "no test: %s", line)
		}
	}
	require.Greater(t, rows, 20)
	for _, name := range []string{"Send", "Recv", "Bcast", "Allreduce", "Alltoallv", "NewWindow", "Map", "NewGrid", "SendLayout", "SendDevice"} {
		require.True(t, named[name], "%s is missing", name)
	}
}
