package lint_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const modulePath = "github.com/tandem-go/tandem"

// goPackage is what go list tells of a package.
type goPackage struct {
	ImportPath string
	Doc        string
	GoFiles    []string
	Imports    []string
}

// layers reads layers.txt: the packages in order, and what each may import.
func layers(t *testing.T) (order []string, allowed map[string][]string) {
	t.Helper()
	data, err := os.ReadFile("layers.txt")
	require.NoError(t, err)
	allowed = map[string][]string{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		col := strings.Split(line, "|")
		require.Len(t, col, 3, "layers.txt: want three columns: %q", line)
		path := strings.TrimSpace(col[0])
		if _, twice := allowed[path]; twice {
			t.Errorf("layers.txt lists %s twice", path)
		}
		allowed[path] = nil
		for _, dep := range strings.Fields(col[2]) {
			if dep == "-" {
				continue
			}
			if _, above := allowed[dep]; !above || dep == path {
				t.Errorf("layers.txt: %s may import %s, which does not stand above it", path, dep)
			}
			allowed[path] = append(allowed[path], dep)
		}
		order = append(order, path)
	}
	return order, allowed
}

func list(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Doc,GoFiles,Imports", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	require.NoError(t, err)
	var pkgs []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else {
			require.NoError(t, err)
		}
		pkgs = append(pkgs, p)
	}
}

// TestLayers holds the imports to layers.txt, and every package to have a comment.
func TestLayers(t *testing.T) {
	_, allowed := layers(t)
	for _, p := range list(t) {
		path := strings.TrimPrefix(p.ImportPath, modulePath+"/")
		deps, ok := allowed[path]
		if !ok {
			t.Errorf("%s is not in layers.txt: say in one line what it is for", path)
			continue
		}
		delete(allowed, path)
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment", path)
		}
		for _, imp := range p.Imports {
			if dep, ours := strings.CutPrefix(imp, modulePath+"/"); ours && !slices.Contains(deps, dep) {
				t.Errorf("%s must not import %s", path, dep)
			}
		}
	}
	for path := range allowed {
		t.Errorf("layers.txt lists %s, which does not exist", path)
	}
}

// thirdParty says which package of ours may import which module of others, outside tests. "*" is everyone.
var thirdParty = map[string]string{
	"github.com/ebitengine/purego": "internal/dl",
	"github.com/urfave/cli/v3":     "cmd/tandem",
	"golang.org/x/sys":             "*",
	"golang.org/x/sync":            "*",
}

// TestThirdPartyImports keeps foreign code where it belongs: C calls behind internal/dl, the command-line library in the
// command.
func TestThirdPartyImports(t *testing.T) {
	for _, p := range list(t) {
		path := strings.TrimPrefix(p.ImportPath, modulePath+"/")
		for _, imp := range p.Imports {
			first, _, _ := strings.Cut(imp, "/")
			if !strings.Contains(first, ".") || strings.HasPrefix(imp, modulePath) {
				continue
			}
			found := false
			for mod, who := range thirdParty {
				if imp == mod || strings.HasPrefix(imp, mod+"/") {
					found = who == "*" || who == path
				}
			}
			if !found {
				t.Errorf("%s must not import %s", path, imp)
			}
		}
	}
}

// TestModuleGraph bounds what a user of the root module has in its build list: every module here is one that somebody
// must trust.
func TestModuleGraph(t *testing.T) {
	want, err := os.ReadFile("modules.txt")
	require.NoError(t, err)
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Path}}", "all")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Equal(t, string(want), string(out), "the module graph changed: each module needs a reason in docs/decisions.md")
}
