package debuginfo_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ksig"
	"github.com/tandem-go/tandem/internal/nvrtc"
	"github.com/tandem-go/tandem/internal/nvrtc/debuginfo"
	"github.com/tandem-go/tandem/internal/nvrtc/nvrtctest"
)

const source = `
struct Inner { float w; short h[3]; };
struct Node {
    int a; double b; const float *p; Inner in; Node *next; unsigned char low : 3; unsigned char high : 5;
    static const int shared = 4;
    __device__ int method() const { return a; }
};
typedef unsigned int word;
typedef const float *floats;
enum Color { RED, GREEN };
enum class Big : unsigned long long { X };
union Both { int i; float f; };
namespace deep { namespace er { struct Thing { int z; }; } }
struct Derived : Inner { float y; };
struct Grid { float m[2][3]; char tail; };
template<class T> struct Pair { T x, y; };
struct Empty {};

extern "C" __global__ void multiply_them(float *dest, const float *a, const float *b) {
    const int i = threadIdx.x;
    dest[i] = a[i] * b[i];
}
extern "C" __global__ void scalars(bool b, char c, signed char sc, unsigned char uc, short s, unsigned short us, int i, unsigned u,
    long l, unsigned long ul, long long ll, unsigned long long ull, float f, double d, word w, size_t n, Color color, Big big) {}
extern "C" __global__ void pointers(void *v, const void *cv, float **pp, const char *const *names, floats fs, const float *__restrict__ r,
    volatile int *vi, const int &ref, int (*row)[5], int (*fn)(float, char *), Node *node, Node **nodes, cudaTextureObject_t tex) {}
extern "C" __global__ void aggregates(Node node, float4 f4, Both both, deep::er::Thing thing, Derived d, Grid grid, Pair<double> pair, Empty e) {}
extern "C" __global__ void odd(int, float unused) {}
extern "C" __global__ void nothing() {}
template<typename T> __global__ void axpy(T a, const T *x, T *y, int n) {
    int i = threadIdx.x;
    if (i < n) y[i] += a * x[i];
}`

func program() nvrtc.Program {
	return nvrtc.Program{Source: source, Arch: "compute_75", Options: []string{"-lineinfo", "--std=c++17"}, NameExpressions: []string{"axpy<float>", "axpy<double>"}}
}

var kinds = map[ksig.Kind]string{ksig.KindOther: "other", ksig.KindInt: "int", ksig.KindUint: "uint", ksig.KindFloat: "float", ksig.KindBool: "bool",
	ksig.KindPtr: "ptr", ksig.KindStruct: "struct", ksig.KindArray: "array", ksig.KindEnum: "enum"}

// short gives the spelling, the kind and the size of a type.
func short(t ksig.Type) string {
	return fmt.Sprintf("%s %s%02d", t.Spelling, kinds[t.Kind], t.Size)
}

func parameters(t *testing.T, info *debuginfo.Info, symbol string) (list []ksig.Source, text []string) {
	t.Helper()
	list, err := info.Parameters(symbol)
	require.NoError(t, err)
	for _, p := range list {
		text = append(text, p.Name+": "+short(p.Type))
	}
	return list, text
}

func TestParametersOfKernels(t *testing.T) {
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		info, err := c.DebugInfo(t.Context(), program())
		require.NoError(t, err)
		require.Subset(t, info.Functions(), []string{"multiply_them", "scalars", "pointers", "aggregates", "nothing", "odd", "_Z4axpyIfEvT_PKS0_PS0_i"})

		_, got := parameters(t, info, "multiply_them")
		require.Equal(t, []string{"dest: float * ptr08", "a: const float * ptr08", "b: const float * ptr08"}, got)
		_, got = parameters(t, info, "_Z4axpyIdEvT_PKS0_PS0_i")
		require.Equal(t, []string{"a: double float08", "x: const double * ptr08", "y: double * ptr08", "n: int int04"}, got)
		_, got = parameters(t, info, "nothing")
		require.Empty(t, got)
		_, got = parameters(t, info, "odd")
		require.Equal(t, []string{": int int04", "unused: float float04"}, got)
		_, err = info.Parameters("absent")
		require.ErrorIs(t, err, debuginfo.ErrNoFunction)

		t.Run("scalars", func(t *testing.T) { testScalars(t, info) })
		t.Run("pointers", func(t *testing.T) { testPointers(t, info) })
		t.Run("aggregates", func(t *testing.T) { testAggregates(t, info) })
	})
}

func testScalars(t *testing.T, info *debuginfo.Info) {
	list, got := parameters(t, info, "scalars")
	require.Equal(t, []string{"b: bool bool01", "c: char int01", "sc: signed char int01", "uc: unsigned char uint01", "s: short int02",
		"us: unsigned short uint02", "i: int int04", "u: unsigned int uint04", "l: long int08", "ul: unsigned long uint08",
		"ll: long long int08", "ull: unsigned long long uint08", "f: float float04", "d: double float08", "w: word uint04"}, got[:15])
	require.Equal(t, ksig.Type{Spelling: list[15].Type.Spelling, Kind: ksig.KindUint, Size: 8}, list[15].Type)
	require.Equal(t, []string{"color: Color enum04", "big: Big enum08"}, got[16:])
}

func testPointers(t *testing.T, info *debuginfo.Info) {
	list, got := parameters(t, info, "pointers")
	require.Equal(t, []string{"v: void * ptr08", "cv: const void * ptr08", "pp: float ** ptr08", "names: const char *const * ptr08", "fs: floats ptr08",
		"r: const float * ptr08", "vi: volatile int * ptr08", "ref: const int & ptr08", "row: int (*)[5] ptr08", "fn: int (*)(float, char *) ptr08",
		"node: Node * ptr08", "nodes: Node ** ptr08", "tex: cudaTextureObject_t uint08"}, restrictAside(got))
	require.Nil(t, list[0].Type.Elem)
	require.Nil(t, list[1].Type.Elem)
	require.Equal(t, ksig.KindPtr, list[2].Type.Elem.Kind)
	require.Equal(t, "float float04", short(*list[2].Type.Elem.Elem))
	require.Equal(t, "const float float04", short(*list[4].Type.Elem))
	require.Equal(t, "const int int04", short(*list[7].Type.Elem))
	require.Equal(t, "int[5] array20", short(*list[8].Type.Elem))
	require.Nil(t, list[9].Type.Elem)

	node := list[10].Type.Elem // members of the first pointee, and no further
	require.Equal(t, "Node struct56", short(*node))
	require.Len(t, node.Fields, 7)
	next := node.Fields[4]
	require.Equal(t, "next", next.Name)
	require.Equal(t, "Node struct56", short(*next.Type.Elem))
	require.Empty(t, next.Type.Elem.Fields)
	require.Empty(t, list[11].Type.Elem.Elem.Fields)
}

// restrictAside removes __restrict__, of which only some versions tell.
func restrictAside(list []string) []string {
	for i, s := range list {
		list[i] = strings.ReplaceAll(s, "*__restrict__ ", "* ")
	}
	return list
}

func testAggregates(t *testing.T, info *debuginfo.Info) {
	list, got := parameters(t, info, "aggregates")
	require.Equal(t, "node: Node struct56", got[0])
	require.Equal(t, []string{"+0 a: int int04", "+8 b: double float08", "+16 p: const float * ptr08", "+24 in: Inner struct12", "+40 next: Node * ptr08",
		"+48 low: unsigned char : 3 other01", "+48 high: unsigned char : 5 other01"}, fields(list[0].Type))
	require.Equal(t, []string{"+0 w: float float04", "+4 h: short[3] array06"}, fields(list[0].Type.Fields[3].Type))
	require.Equal(t, []string{"+0 x: float float04", "+4 y: float float04", "+8 z: float float04", "+12 w: float float04"}, fields(list[1].Type))
	require.Equal(t, []string{"+0 i: int int04", "+0 f: float float04"}, fields(list[2].Type))
	require.Contains(t, list[3].Type.Spelling, "Thing")
	require.Equal(t, []string{"+0 z: int int04"}, fields(list[3].Type))
	require.Equal(t, []string{"+0 Inner: Inner struct12", "+12 y: float float04"}, fields(list[4].Type))

	grid := list[5].Type
	require.Equal(t, []string{"+0 m: float[2][3] array24", "+24 tail: char int01"}, fields(grid))
	m := grid.Fields[0].Type
	require.Equal(t, []int{2, 3}, []int{m.Len, m.Elem.Len})
	require.Equal(t, "float[3] array12", short(*m.Elem))
	require.Equal(t, "float float04", short(*m.Elem.Elem))

	require.Equal(t, []string{"+0 x: double float08", "+8 y: double float08"}, fields(list[6].Type))
	require.Equal(t, ksig.KindStruct, list[7].Type.Kind)
	require.Equal(t, "e", list[7].Name)
}

func fields(t ksig.Type) (list []string) {
	for _, f := range t.Fields {
		list = append(list, fmt.Sprintf("+%d %s: %s", f.Offset, f.Name, short(f.Type)))
	}
	return list
}

// Sizes and offsets must fit what the PTX header of the same kernel says.
func TestSizesAgreeWithPTX(t *testing.T) {
	nvrtctest.Each(t, func(t *testing.T, c *nvrtc.Compiler) {
		info, err := c.DebugInfo(t.Context(), program())
		require.NoError(t, err)
		list, err := info.Parameters("aggregates")
		require.NoError(t, err)
		res, err := c.Compile(t.Context(), program())
		require.NoError(t, err)
		header := string(res.PTX)
		header = header[strings.Index(header, ".entry aggregates("):]
		header = header[:strings.Index(header, ")")]
		lines := strings.Split(header, "\n")[1:]
		for i, p := range list {
			require.Contains(t, lines[i], fmt.Sprintf("[%d]", p.Type.Size), p.Name)
		}
	})
}

func TestPTXWithoutDebugInformation(t *testing.T) {
	_, err := debuginfo.Parse([]byte(".version 8.4\n.target sm_75\n.entry k() { ret; }\n"))
	require.ErrorIs(t, err, debuginfo.ErrNoDebugInfo)
	_, err = debuginfo.Parse(nil)
	require.ErrorIs(t, err, debuginfo.ErrNoDebugInfo)
}

// Whatever is cut off or changed, the outcome is an error or an answer, never a panic.
func TestDamagedTextIsAnError(t *testing.T) {
	c := nvrtctest.OpenWithoutCache(t)
	p := program()
	p.Options = []string{"-G", "--std=c++17"}
	res, err := c.Compile(t.Context(), p)
	require.NoError(t, err)
	ptx := string(res.PTX)
	begin := strings.Index(ptx, ".section")
	require.Positive(t, begin)
	sections := ptx[begin:]

	r := rand.New(rand.NewPCG(11, 13))
	failed := 0
	for range 150 {
		if !readAll([]byte(sections[:r.IntN(len(sections))])) {
			failed++
		}
	}
	require.Greater(t, failed, 100, "a section that does not end is an error")

	lines := strings.Split(sections, "\n")
	for range 600 {
		changed := append([]string(nil), lines...)
		for range 1 + r.IntN(3) {
			i := r.IntN(len(changed))
			changed[i] = []string{"", ".b8 255", ".b32 4294967295", "}", ".b64 x", lines[r.IntN(len(lines))], ".b8 0"}[r.IntN(7)]
		}
		readAll([]byte(strings.Join(changed, "\n")))
	}
}

// readAll reads everything there is and reports whether all of it was readable.
func readAll(ptx []byte) bool {
	info, err := debuginfo.Parse(ptx)
	if err != nil {
		return false
	}
	ok := true
	for _, f := range info.Functions() {
		if _, err := info.Parameters(f); err != nil {
			ok = false
		}
	}
	return ok
}

func FuzzParse(f *testing.F) {
	c := nvrtctest.OpenWithoutCache(f)
	for _, src := range []string{source, "struct S { S *s; int a[2]; }; extern \"C\" __global__ void k(S s, S *p) {}"} {
		res, err := c.Compile(f.Context(), nvrtc.Program{Source: src, Arch: "compute_75", Options: []string{"-G", "--std=c++17"}})
		require.NoError(f, err)
		ptx := string(res.PTX)
		f.Add([]byte(ptx[strings.Index(ptx, ".section"):]))
	}
	f.Fuzz(func(t *testing.T, ptx []byte) { readAll(ptx) })
}
