package check_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// read parses one file of testdata.
func read(t *testing.T, name string) (*ptx.Module, string) {
	t.Helper()
	src, err := os.ReadFile(name)
	require.NoError(t, err)
	m, err := ptx.Parse(filepath.Base(name), src)
	require.NoError(t, err)
	return m, string(src)
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, list)
	return list
}

// TestAccept holds that correct files are accepted, and that they have every form of the tables.
func TestAccept(t *testing.T) {
	seen := make(map[string]bool)
	for _, name := range append(glob(t, "testdata/accept/*.ptx"), glob(t, "../testdata/*.ptx")...) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			m, _ := read(t, name)
			checked, err := check.Check(m)
			require.NoError(t, err)
			for _, f := range checked.Funcs {
				for i := range f.Code {
					in := &f.Code[i]
					require.NotNil(t, in.Form)
					seen[in.Form.Line()] = true
				}
			}
		})
	}
	for _, line := range check.Lines() {
		if !seen[line] {
			t.Errorf("no file of testdata/accept has an instruction of the form: %s", line)
		}
	}
}

var expectation = regexp.MustCompile("error: `([^`]*)`")

// TestReject holds that each line has the errors that its comment announces, and that no line has others.
func TestReject(t *testing.T) {
	cases := 0
	for _, name := range glob(t, "testdata/reject/*.ptx") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			m, src := read(t, name)
			want := make(map[int][]string)
			for i, line := range strings.Split(src, "\n") {
				for _, match := range expectation.FindAllStringSubmatch(line, -1) {
					want[i+1] = append(want[i+1], match[1])
					cases++
				}
			}
			checked, err := check.Check(m)
			require.Nil(t, checked)
			var list ptx.ErrorList
			require.ErrorAs(t, err, &list)
			for _, e := range list {
				line := int(e.Pos.Line)
				require.Equal(t, filepath.Base(name), e.File)
				i := matching(want[line], e.Msg)
				if i < 0 {
					t.Errorf("unexpected error: %v", e)
					continue
				}
				want[line] = append(want[line][:i:i], want[line][i+1:]...)
			}
			for line, missing := range want {
				for _, w := range missing {
					t.Errorf("line %d: no error that matches %s", line, strconv.Quote(w))
				}
			}
		})
	}
	require.Greater(t, cases, 150)
}

func matching(patterns []string, msg string) int {
	for i, p := range patterns {
		if regexp.MustCompile(p).MatchString(msg) {
			return i
		}
	}
	return -1
}
