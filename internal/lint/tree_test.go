package lint_test

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// source is one Go file of the repository, nested modules included.
type source struct {
	path string // slash-separated, from the root
	fset *token.FileSet
	file *ast.File
	text []byte
}

// generated reports the standard first line of generated files.
func (s source) generated() bool { return ast.IsGenerated(s.file) }

func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

// sources parses every Go file below the root.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") || d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		out = append(out, source{filepath.ToSlash(rel), fset, f, text})
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, out)
	return out
}

// exceptions reads a list "name reason…", one a line, and returns the names. A name without a reason is an error.
func exceptions(t *testing.T, file string) map[string]bool {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	names := map[string]bool{}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, ok := strings.Cut(line, " ")
		if !ok || strings.TrimSpace(reason) == "" {
			t.Errorf("%s: %s has no reason", file, name)
		}
		names[name] = false
	}
	return names
}

// unused reports exceptions that nothing needed any more.
func unused(t *testing.T, file string, names map[string]bool) {
	t.Helper()
	for name, used := range names {
		if !used {
			t.Errorf("%s: the exception for %s is not needed any more; remove it", file, name)
		}
	}
}
