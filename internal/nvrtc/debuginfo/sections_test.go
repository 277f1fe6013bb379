package debuginfo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/nvrtc/debuginfo"
)

func TestAssemble(t *testing.T) {
	got, err := debuginfo.Assemble([]byte(`
.version 8.4
.entry k() { // .section is not at the start of this line
}
	.section	.debug_abbrev
	{
.b8 1,2 ,0xff
.b16 258
	}
	.section .debug_info {
.b32 .debug_abbrev        // the start of a section
start: .b8 -1
.b64 start+3
.b32 end-start // 4-4, over the border of sections
.b64 $L__func_begin0, k_param_0
.b8 37 }
	.section .debug_str
	{
first:
.b8 65,0
second: .b8 66,0;
end:
	}
	.section .debug_info
	{
.b32 second, .debug_str+1
	}
`))
	require.NoError(t, err)
	require.Equal(t, map[string][]byte{
		".debug_abbrev": {1, 2, 255, 2, 1},
		".debug_info": {0, 0, 0, 0, 255, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 37,
			2, 0, 0, 0, 1, 0, 0, 0},
		".debug_str": {65, 0, 66, 0},
	}, got)
}

func TestAssembleRefuses(t *testing.T) {
	for text, want := range map[string]string{
		".section .debug_info\n{\n.b8 1\n":        "does not end",
		".section .text\n{\n}":                    "debug section",
		".section .debug_info {\n.b8 \"x\"\n}":    "neither a number nor a symbol",
		".section .debug_info {\n.b8 1,,2\n}":     "empty value",
		".section .debug_info {\n.b128 1\n}":      "unknown directive",
		".section .debug_info {\nmov.u32 a, b\n}": "neither data nor a label",
		".section .debug_info {\n.b8 9x\n}":       "neither a number nor a symbol",
		".section .debug_info {\n.b8 a+\n}":       "neither a number nor a symbol",
		".section .debug_info {\n.b8 1 } more":    "after the end",
	} {
		_, err := debuginfo.Assemble([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
}

func TestDemangle(t *testing.T) {
	for name, want := range map[string]string{
		"_ZN2ns1QE": "ns::Q", "_ZN1a2bb3cccE": "a::bb::ccc", "plain": "plain", "_Z1VIdE": "_Z1VIdE", "_ZN2ns1VIdEE": "_ZN2ns1VIdEE",
		"_ZNE": "_ZNE", "_ZN9shortE": "_ZN9shortE", "_ZN": "_ZN", "E": "E", "": "", "V<double>": "V<double>", "_ZN0E": "_ZN0E",
	} {
		require.Equal(t, want, debuginfo.Demangle(name), name)
	}
}
