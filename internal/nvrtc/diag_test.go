package nvrtc_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/nvrtc"
)

func TestParseLog(t *testing.T) {
	type diag = nvrtc.Diagnostic
	for name, test := range map[string]struct {
		log  []string
		want []diag
	}{
		"empty":  {nil, nil},
		"no log": {[]string{"", "  ", "3 errors detected in the compilation of \"a.cu\"."}, nil},
		"without a caret, as 11.8": {[]string{`k.cu(2): error: identifier "f" is undefined`, "", "1 error detected in the compilation of \"k.cu\"."},
			[]diag{{File: "k.cu", Line: 2, Severity: nvrtc.SeverityError, Message: `identifier "f" is undefined`}}},
		"with a caret, as 12": {[]string{"k.cu(2): error: no", "    f();", "    ^", ""},
			[]diag{{File: "k.cu", Line: 2, Column: 3, Severity: nvrtc.SeverityError, Message: "no", Source: "  f();"}}},
		"tabs and CR LF": {[]string{"k.cu(7): warning #177-D: unused\r", "  \tfloat q;\r", "  \t      ^\r", "\r",
			`Remark: The warnings can be suppressed with "-diag-suppress <warning-number>"`},
			[]diag{{File: "k.cu", Line: 7, Column: 8, Severity: nvrtc.SeverityWarning, Number: 177, Message: "unused", Source: "\tfloat q;"}}},
		"a file name that looks like a message": {[]string{"dir (1): x/k(3).cu(9): remark: hm"},
			[]diag{{File: "dir (1): x/k(3).cu", Line: 9, Severity: nvrtc.SeverityRemark, Message: "hm"}}},
		"a message that looks like a position": {[]string{"k.cu(1): catastrophic error: #error directive: a(3): error: b", "  #error a(3): error: b", "   ^"},
			[]diag{{File: "k.cu", Line: 1, Column: 2, Severity: nvrtc.SeverityFatal, Message: "#error directive: a(3): error: b", Source: "#error a(3): error: b"}}},
		"notes": {[]string{"k.cu(7): error: bad", "  x", "  ^", `          detected during instantiation of "f" at line 8`, "k.cu(1): note #2703-D: see", "  y", "   ^"},
			[]diag{{File: "k.cu", Line: 7, Column: 1, Severity: nvrtc.SeverityError, Message: "bad", Source: "x",
				Notes: []string{`detected during instantiation of "f" at line 8`, "k.cu(1): note #2703-D: see"}}}},
		"option": {[]string{"nvrtc: error: unrecognized option --bogus found"},
			[]diag{{Severity: nvrtc.SeverityError, Message: "unrecognized option --bogus found"}}},
		"assembler": {[]string{"ptxas application ptx input, line 23; error   : Not a name", "ptxas fatal   : aborted", "ptxas info    : 0 bytes"},
			[]diag{{File: "(PTX)", Line: 23, Severity: nvrtc.SeverityError, Message: "Not a name"},
				{File: "(PTX)", Severity: nvrtc.SeverityFatal, Message: "aborted"}, {File: "(PTX)", Severity: nvrtc.SeverityRemark, Message: "0 bytes"}}},
		"optimizer": {[]string{"remark: k.cu:1:54: f inlined into g"},
			[]diag{{File: "k.cu", Line: 1, Column: 54, Severity: nvrtc.SeverityRemark, Message: "f inlined into g"}}},
		"name expressions": {[]string{`__nv_name_map(3): error: identifier "no" is undefined`,
			`__nv_name_map(3): error: Error in parsing name expression for lowered name lookup. Input name expression was: " no < int >"`,
			`__nv_name_map(4): error: Error in parsing name expression for lowered name lookup. Input name expression was: "x"`},
			[]diag{{File: `name expression "no < int >"`, Severity: nvrtc.SeverityError, Message: `identifier "no" is undefined`},
				{File: `name expression "x"`, Severity: nvrtc.SeverityError,
					Message: `Error in parsing name expression for lowered name lookup. Input name expression was: "x"`}}},
		"lines of another kind": {[]string{"something new", "k.cu(1): error: a", "something newer"},
			[]diag{{File: "k.cu", Line: 1, Severity: nvrtc.SeverityError, Message: "a", Notes: []string{"something newer"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, nvrtc.ParseLog(strings.Join(test.log, "\n")))
		})
	}
}

func TestDiagnosticText(t *testing.T) {
	for want, d := range map[string]nvrtc.Diagnostic{
		"k.cu:2:3: error: m":    {File: "k.cu", Line: 2, Column: 3, Severity: nvrtc.SeverityError, Message: "m"},
		"k.cu:2: warning: m":    {File: "k.cu", Line: 2, Severity: nvrtc.SeverityWarning, Message: "m"},
		"remark: m":             {Message: "m"},
		"(PTX): fatal error: m": {File: "(PTX)", Severity: nvrtc.SeverityFatal, Message: "m"},
	} {
		require.Equal(t, want, d.String())
	}
	e := &nvrtc.CompileError{File: "k.cu", Log: "what nobody knows\n", Code: 6, Name: "NVRTC_ERROR_COMPILATION"}
	require.EqualError(t, e, "compile k.cu: NVRTC_ERROR_COMPILATION (6): what nobody knows")
}

func FuzzParseLog(f *testing.F) {
	f.Add("k.cu(2): error: no\n    f();\n    ^\n")
	f.Add("k.cu(99999999999999999999): error: no\n ^\n^")
	f.Add("ptxas application ptx input, line 23; error   : Not a name")
	f.Fuzz(func(t *testing.T, log string) {
		for _, d := range nvrtc.ParseLog(log) {
			if d.Line < 0 || d.Column < 0 || d.String() == "" {
				t.Fatalf("%+v", d)
			}
		}
	})
}
