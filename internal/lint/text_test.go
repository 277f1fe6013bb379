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

// forbidden are things that must not stand in any committed text file.
var forbidden = []struct {
	re  *regexp.Regexp
	why string
}{
	{regexp.MustCompile(`/(home|root|Users|work)/[a-z.]`), "an absolute path of some machine"},
	{regexp.MustCompile(`NVIDIA CORPORATION|NVIDIA Corporation & affiliates`), "NVIDIA's files are found at run time, never committed"},
}

// TestCommittedText looks at every file that git tracks.
func TestCommittedText(t *testing.T) {
	cmd := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-z")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		out = walkFiles(t) // an unpacked archive without git
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // removed in the working tree
		}
		require.NoError(t, err)
		if name == "internal/lint/text_test.go" || strings.ContainsRune(string(data[:min(len(data), 1024)]), 0) {
			continue
		}
		for _, f := range forbidden {
			if loc := f.re.FindIndex(data); loc != nil {
				t.Errorf("%s:%d: %q: %s", name, 1+strings.Count(string(data[:loc[0]]), "\n"), data[loc[0]:loc[1]], f.why)
			}
		}
	}
}

func walkFiles(t *testing.T) []byte {
	var names []string
	require.NoError(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == ".git" {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			names = append(names, rel)
		}
		return nil
	}))
	return []byte(strings.Join(names, "\x00"))
}
