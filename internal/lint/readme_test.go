package lint_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadmeProgram runs the program of the README and compares its output with what the README says.
func TestReadmeProgram(t *testing.T) {
	text, err := os.ReadFile(root + "/README.md")
	require.NoError(t, err)
	program := regexp.MustCompile("(?s)```go\n(package main.*?)```").FindSubmatch(text)
	require.NotNil(t, program, "the README has no program")
	says := regexp.MustCompile("It prints `([^`]+)`").FindSubmatch(text)
	require.NotNil(t, says)
	file := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(file, program[1], 0o600))
	cmd := exec.Command("go", "run", "-buildvcs=false", file)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off", "TANDEM_DEVICE=host")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, string(says[1]), strings.TrimSpace(string(out)))
}

// TestReadmeLinks checks that every relative link of the README and the documents points to something.
func TestReadmeLinks(t *testing.T) {
	files, err := filepath.Glob(root + "/docs/*.md")
	require.NoError(t, err)
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	for _, file := range append(files, root+"/README.md", root+"/ROADMAP.md") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range link.FindAllSubmatch(code.ReplaceAll(text, nil), -1) {
			target := filepath.Join(filepath.Dir(file), string(m[1]))
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", filepath.Base(file), m[1])
			}
		}
	}
}
