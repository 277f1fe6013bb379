package oracle

import (
	"os"
	"strings"
	"testing"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/library"
)

// read is the contents of a file.
func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	ok(t, err)
	return data
}

// Archive checks that name.zip in the folder of the test was made from name.cu in these variants; with rewrite it makes it.
func Archive(t testing.TB, name string, variants []library.Variant, rewrite bool) {
	t.Helper()
	source := string(read(t, name+".cu"))
	if rewrite {
		data, err := library.Make(t.Context(), name+".cu", source, variants)
		ok(t, err)
		ok(t, os.WriteFile(name+".zip", data, 0o644))
		return
	}
	ok(t, library.Open(name+".zip", read(t, name+".zip")).Check(source, variants))
}

// PTX checks that name.ptx in the folder of the test was made from name.cu with these options; with rewrite it makes it. The
// first line of the code that cuda.CompilePTX gives names what it was made from; compilers of other versions give other code behind it.
func PTX(t testing.TB, name string, rewrite bool, options ...string) {
	t.Helper()
	made, _, err := cuda.CompilePTX(t.Context(), string(read(t, name+".cu")), cuda.CompileConfig{Name: name + ".cu", Options: options})
	ok(t, err)
	if rewrite {
		ok(t, os.WriteFile(name+".ptx", made, 0o644))
		return
	}
	const mark = len("// tandem: made from ") + 32
	if have := string(read(t, name+".ptx")); !strings.HasPrefix(have, string(made[:mark])) {
		t.Errorf("%s.ptx is not of %s.cu: run make gen", name, name)
	}
}
