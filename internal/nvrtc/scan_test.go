//go:build !tandem_nodl

package nvrtc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/nvrtc"
	"github.com/tandem-go/tandem/internal/nvrtc/nvrtctest"
)

func TestIncludes(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil,
		"int a; // # not a directive\n#define X(a) #a ##a":       nil,
		"#include <a.h>\n#include \"b/c.h\"":                     {"a.h", "b/c.h"},
		"  #\t include\t<a.h> // x":                              {"a.h"},
		"#/* x */include/**/<a.h>":                               {"a.h"},
		"#inc\\\nlude <a.h>":                                     {"a.h"},
		"#inc\\\r\nlude <a.h>":                                   {"a.h"},
		"%:include <a.h>":                                        {"a.h"},
		"#include_next <a.h>":                                    {"a.h"},
		"#import <a.h>":                                          {"a.h"},
		"#includes <a.h>":                                        nil,
		"/* #include <in/comment.h> */":                          {"in/comment.h"},
		"const char *s = \"/*\";\n#include <a.h>\n\"*/\"":        {"a.h"},
		"#if __has_include(<a.h>)\n#endif":                       {"a.h"},
		"#if defined __has_include && __has_include ( \"b.h\" )": {"b.h"},
		"#ifdef __has_include\n#endif":                           nil,
		"R\"(\n#include <a.h>\n)\"":                              {"a.h"},
		"%d %: #":                                                nil,
	} {
		names, ok := nvrtc.Includes(text)
		require.True(t, ok, text)
		require.Equal(t, want, names, text)
	}
	for _, text := range []string{
		"#include MACRO", "#include MACRO(x)", "#include", "#include <a.h", "#include <a\n>", "#include /* \n", "#if __has_include(MACRO)",
		"#embed <data>", "??=include <a.h>", "#inc??/\nlude <a.h>", "int t = __LINE__; char *d = __DATE__;", "__TIME__", "__TIMESTAMP__",
	} {
		_, ok := nvrtc.Includes(text)
		require.False(t, ok, text)
	}
}

func FuzzIncludes(f *testing.F) {
	f.Add("#include <a.h>\n%:include \"b\"\n#if __has_include(<c>)")
	f.Add("#include /* */ /* \\\n*/ <x")
	f.Fuzz(func(t *testing.T, text string) {
		names, _ := nvrtc.Includes(text)
		for _, n := range names {
			if strings.ContainsAny(n, "\n") {
				t.Fatalf("%q", n)
			}
		}
		// A directive that follows on a line of its own is seen, or the whole text is refused.
		names, ok := nvrtc.Includes(text + "\n#include <the/last.h>\n")
		if ok && (len(names) == 0 || names[len(names)-1] != "the/last.h") && !strings.HasSuffix(strings.TrimRight(text, "\r"), "\\") {
			t.Fatalf("%q", names)
		}
	})
}

// write makes a file below dir.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

func TestKeyCoversWhatTheResultDependsOn(t *testing.T) {
	c := nvrtctest.Open(t)
	dir, second := t.TempDir(), t.TempDir()
	write(t, dir, "a.h", "#include \"sub/b.h\"\n")
	write(t, dir, "sub/b.h", "#include \"c.h\"\n")
	write(t, dir, "sub/c.h", "#define C 1\n")
	write(t, dir, "pre.h", "")
	program := func() nvrtc.Program {
		return nvrtc.Program{Source: "#include <a.h>\n#include \"mem.h\"\n", Name: "x/k.cu", Arch: "compute_75", Options: []string{"-I", dir, "-DX", "-include", "pre.h"},
			IncludeDirs: []string{second}, Headers: []nvrtc.Header{{Name: "mem.h", Text: "#define M 1"}, {Name: "n.h", Text: ""}}, NameExpressions: []string{"f", "g"}}
	}
	base := nvrtc.Key(c, program())
	require.Len(t, base, 64)
	require.Equal(t, base, nvrtc.Key(c, program()))
	seen := map[string]string{base: "base"}
	differs := func(what string, p nvrtc.Program) {
		t.Helper()
		key := nvrtc.Key(c, p)
		require.NotEmpty(t, key, what)
		require.NotContains(t, seen, key, what)
		seen[key] = what
	}
	for what, change := range map[string]func(p *nvrtc.Program){
		"source":           func(p *nvrtc.Program) { p.Source += " " },
		"name":             func(p *nvrtc.Program) { p.Name = "x/l.cu" },
		"target":           func(p *nvrtc.Program) { p.Arch = "compute_80" },
		"option":           func(p *nvrtc.Program) { p.Options = append(p.Options, "-G") },
		"order of options": func(p *nvrtc.Program) { p.Options = []string{"-DX", "-I", dir, "-include", "pre.h"} },
		"include folder":   func(p *nvrtc.Program) { p.IncludeDirs = nil },
		"header's text":    func(p *nvrtc.Program) { p.Headers[0].Text = "#define M 2" },
		"header's name":    func(p *nvrtc.Program) { p.Headers[1].Name = "o.h" },
		"name expressions": func(p *nvrtc.Program) { p.NameExpressions = []string{"g", "f"} },
		"a boundary":       func(p *nvrtc.Program) { p.NameExpressions = []string{"fg"} },
		"no own headers":   func(p *nvrtc.Program) { p.NoHeaders = true },
	} {
		p := program()
		change(&p)
		differs(what, p)
	}
	write(t, dir, "sub/c.h", "#define C 2\n")
	differs("a file that a file includes", program())
	write(t, dir, "pre.h", "#define P")
	differs("a file that an option includes", program())
	write(t, second, "a.h", "")
	differs("a file that another rule of the search would find", program())
	write(t, dir, "stdint.h", "")
	differs("a file that hides one of our headers", program())
	require.NoError(t, os.Remove(filepath.Join(dir, "sub/c.h")))
	differs("a file that is gone", program())
	write(t, dir, "sub/b.h", "#include COMPUTED")
	require.Empty(t, nvrtc.Key(c, program()))
	for _, o := range []string{"--pch", "--time=f", "--fdevice-time-trace=f", "--use-pch=f", "--an-option-of-the-future"} {
		require.Empty(t, nvrtc.Key(c, nvrtc.Program{Name: "k.cu", Options: []string{o}}), o)
	}
}

func TestIncludeCyclesEnd(t *testing.T) {
	c := nvrtctest.Open(t)
	dir := t.TempDir()
	for i := range 4 {
		write(t, dir, fmt.Sprintf("%d.h", i), fmt.Sprintf("#include \"%d.h\"\n#include \"%d.h\"", (i+1)%4, i))
	}
	p := nvrtc.Program{Source: "#include \"0.h\"\n#include \"m.h\"", Name: "k.cu", IncludeDirs: []string{dir}, Headers: []nvrtc.Header{{Name: "m.h", Text: "#include \"m.h\""}}}
	require.NotEmpty(t, nvrtc.Key(c, p))
}
