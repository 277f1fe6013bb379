package enginetest

import (
	"io/fs"
	"path"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
)

// notRun are the operations that no run file can contain yet, each with the reason.
var notRun = map[ir.Op]string{
	ir.OpTexQuery: "queries of textures wait",
	ir.OpGridSync: "only package interp's test makes it",
}

// TestEveryOperationIsRun wants each operation of the IR in a kernel that a run line launches.
func TestEveryOperationIsRun(t *testing.T) {
	seen := map[ir.Op]bool{}
	names, err := fs.Glob(files, "testdata/run/*")
	require.NoError(t, err)
	for _, name := range names {
		text, err := files.ReadFile(name)
		require.NoError(t, err)
		source := string(text)
		if path.Ext(name) == ".forms" {
			source, err = expandForms(source)
			require.NoError(t, err)
		}
		runs, err := parseRuns(source)
		require.NoError(t, err)
		compile, err := load(path.Base(name), source)
		require.NoError(t, err)
		for _, l := range runs {
			variants, err := compile(l.kernel)
			require.NoError(t, err)
			for _, v := range variants {
				note(v.kernel, seen)
			}
		}
	}
	var missing []string
	for op := ir.OpConst; op <= ir.OpExit; op++ {
		if _, excused := notRun[op]; !seen[op] && !excused {
			missing = append(missing, op.String())
		}
		if _, excused := notRun[op]; seen[op] && excused {
			t.Errorf("%s is run now: take it off the list", op)
		}
	}
	require.Empty(t, missing, "operations that no run file executes")
}

func note(k *ir.Kernel, seen map[ir.Op]bool) {
	for _, f := range k.Funcs {
		for _, b := range f.Blocks {
			for _, in := range b.Instrs {
				seen[in.Op] = true
			}
		}
	}
}

func TestParseRun(t *testing.T) {
	l, err := parseRun(`// run: k<<<2x3, 4, 16>>>(u32 7, s16 -2, f32[1.5 -2~3 nan ?*2] == [0x3f800000 1..4], u8{1 2})`)
	require.NoError(t, err)
	require.Equal(t, "k", l.kernel)
	require.Equal(t, [3]uint32{2, 3, 1}, l.grid)
	require.Equal(t, [3]uint32{4, 1, 1}, l.block)
	require.Equal(t, 16, l.shared)
	require.Equal(t, []element{{bits: 7}}, l.args[0].values)
	require.Equal(t, []element{{bits: 0xfffe}}, l.args[1].values)
	require.Equal(t, []element{{bits: 0x3fc00000}, {bits: 0xc0000000, ulps: 3}, {bits: 0x7fffffff}, {any: true}, {any: true}}, l.args[2].values)
	require.Equal(t, []element{{bits: 0x3f800000}, {bits: 0x3f800000}, {bits: 0x40000000}, {bits: 0x40400000}, {bits: 0x40800000}}, l.args[2].want)
	require.Equal(t, 2, l.args[3].size())

	l, err = parseRun(`// run: k<<<1, 1>>>() fault 700 block 1x2 thread 3 line 9 "past \"the\" end"`)
	require.NoError(t, err)
	require.Equal(t, &wantFault{code: 700, block: [3]uint32{1, 2}, thread: [3]uint32{3}, line: 9, detail: `past "the" end`}, l.fault)

	l, err = parseRun(`// run: k<<<1, 1>>>() prints "a\n"`)
	require.NoError(t, err)
	require.Equal(t, "a\n", l.prints)
}

func TestParseRunRefuses(t *testing.T) {
	for _, line := range []string{
		`// run: k(u32 1)`, `// run: k<<<1>>>()`, `// run: k<<<0, 1>>>()`, `// run: k<<<1, 1>>>(u32)`,
		`// run: k<<<1, 1>>>(u8 256)`, `// run: k<<<1, 1>>>(s8 -129)`, `// run: k<<<1, 1>>>(f16 1.5)`, `// run: k<<<1, 1>>>(u32[1 2] == [1])`,
		`// run: k<<<1, 1>>>(x32 1)`, `// run: k<<<1, 1>>>(u32[5..3])`, `// run: k<<<1, 1>>>() fault`, `// run: k<<<1, 1>>>() prints x`,
	} {
		_, err := parseRun(line)
		require.Error(t, err, line)
	}
}

// TestJudge sees that a launch which goes wrong in any way is noticed.
func TestJudge(t *testing.T) {
	l, err := parseRun(`// run: k<<<1, 1>>>(u32[1 2] == [3 ?], f64[nan], f32[1.0] == [2.0~1])`)
	require.NoError(t, err)
	good := func() *outcome {
		return &outcome{buffers: [][]byte{
			{3, 0, 0, 0, 9, 9, 9, 9}, {1, 0, 0, 0, 0, 0, 0xf8, 0xff}, {1, 0, 0, 0x40},
		}}
	}
	require.Empty(t, judge(l, good()))
	for _, spoil := range []func(*outcome){
		func(o *outcome) { o.buffers[0][0] = 4 },
		func(o *outcome) { o.buffers[1][6] = 0 },
		func(o *outcome) { o.buffers[2][0] = 2 },
		func(o *outcome) { o.printed = "x" },
		func(o *outcome) { o.fault = &engine.Fault{Code: 700} },
	} {
		o := good()
		spoil(o)
		require.Len(t, judge(l, o), 1)
	}
	l, err = parseRun(`// run: k<<<1, 1>>>() fault 700 thread 3 line 9 "end"`)
	require.NoError(t, err)
	fault := engine.Fault{Code: 700, Thread: [3]uint32{3}, Pos: ir.Pos{PTXLine: 9}, Detail: "the end"}
	require.Empty(t, judge(l, &outcome{fault: &fault}))
	require.NotEmpty(t, judge(l, &outcome{}))
	for _, spoil := range []func(*engine.Fault){
		func(f *engine.Fault) { f.Code = 716 }, func(f *engine.Fault) { f.Thread[0] = 2 },
		func(f *engine.Fault) { f.Block[0] = 2 }, func(f *engine.Fault) { f.Pos.PTXLine = 8 }, func(f *engine.Fault) { f.Detail = "" },
	} {
		f := fault
		spoil(&f)
		require.NotEmpty(t, judge(l, &outcome{fault: &f}))
	}
}

func TestExpandFormsRefuses(t *testing.T) {
	for _, text := range []string{
		"# title\nadd.s32 $d, $a, $b; | s32 = s32 s32\n  1 = 2", "# title\nadd.s32 $d", "# title\n  1 = 2",
		"# title\nadd.s32 $d, $a; | s32 = x9\n  1 = 2",
	} {
		_, err := expandForms(text)
		require.Error(t, err, text)
	}
	out, err := expandForms("# title\nadd.s32 $d, $a, $b; | s32 = s32 s32\n  3 = 1 2\n  5 = 2 3\n")
	require.NoError(t, err)
	require.Contains(t, out, "// run: form0<<<1, 2>>>(s32[?*2] == [3 5], s32[1 2], s32[2 3], )")
}
