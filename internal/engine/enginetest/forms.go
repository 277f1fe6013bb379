package enginetest

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tandem-go/tandem/internal/ir"
)

// formLine is an instruction with its types: `add.s32 $d, $a, $b; | s32 = s32 s32`.
var formLine = regexp.MustCompile(`^(\S.*;) *\| *([^=]*)= *(.*)$`)

const (
	resultNames  = "dexy"
	operandNames = "abcf"
)

// form is one instruction, or a few, and cases of what it computes.
type form struct {
	text              string
	results, operands []string   // types
	cases             [][]string // results, then operands
}

// expandForms turns a table of forms into PTX with run lines. A table line is an instruction in which $d, $e, $x, $y stand
// for results and $a, $b, $c, $f for operands, followed by their types; the lines behind it that begin with a space are
// cases, `RESULTS = OPERANDS`. Each case is computed by a lane of its own. The type pred is a predicate, 0 or 1.
func expandForms(text string) (string, error) {
	first, rest, _ := strings.Cut(text, "\n")
	forms, err := parseForms(rest)
	if err != nil {
		return "", err
	}
	out := &strings.Builder{}
	fmt.Fprintf(out, "%s\n.version 8.4\n.target sm_90\n.address_size 64\n", strings.Replace(first, "#", "//", 1))
	for i, f := range forms {
		if err := f.write(out, fmt.Sprintf("form%d", i)); err != nil {
			return "", fmt.Errorf("%s: %w", f.text, err)
		}
	}
	return out.String(), nil
}

func parseForms(text string) (forms []form, err error) {
	for n, line := range strings.Split(text, "\n") {
		switch {
		case strings.TrimSpace(line) == "" || line[0] == '#':
		case line[0] == ' ' && len(forms) > 0:
			f := &forms[len(forms)-1]
			results, operands, _ := strings.Cut(line, "=")
			values := append(strings.Fields(results), strings.Fields(operands)...)
			if len(values) != len(f.results)+len(f.operands) {
				return nil, fmt.Errorf("line %d: %d values for %s", n+2, len(values), f.text)
			}
			f.cases = append(f.cases, values)
		default:
			m := formLine.FindStringSubmatch(line)
			if m == nil {
				return nil, fmt.Errorf("line %d: %q is no form", n+2, line)
			}
			forms = append(forms, form{text: m[1], results: strings.Fields(m[2]), operands: strings.Fields(m[3])})
		}
	}
	return forms, nil
}

// register is how a type lives in a register and in memory.
func register(name string) (class, memory string, bytes int, err error) {
	if name == "pred" {
		return "pred", "u32", 4, nil
	}
	t, err := parseType(name)
	if err != nil {
		return "", "", 0, err
	}
	memory = name
	if t.Float() && t != ir.F32 && t != ir.F64 {
		memory = fmt.Sprintf("b%d", t.Bits())
	}
	return fmt.Sprintf("b%d", t.Value().Bits()), memory, t.Bytes(), nil
}

func (f form) write(out *strings.Builder, name string) error {
	types := append(append([]string{}, f.results...), f.operands...)
	symbols := resultNames[:len(f.results)] + operandNames[:len(f.operands)]
	fmt.Fprintf(out, "\n// form: %s\n// run: %s<<<1, %d>>>(", f.text, name, len(f.cases))
	for i, t := range types {
		values := make([]string, len(f.cases))
		for k, c := range f.cases {
			values[k] = c[i]
		}
		if t == "pred" {
			t = "u32"
		}
		if i < len(f.results) {
			fmt.Fprintf(out, "%s[?*%d] == [%s], ", t, len(values), strings.Join(values, " "))
		} else {
			fmt.Fprintf(out, "%s[%s], ", t, strings.Join(values, " "))
		}
	}
	fmt.Fprintf(out, ")\n.visible .entry %s(", name)
	for i := range types {
		fmt.Fprintf(out, "%s.param .u64 p%d", map[bool]string{true: ", "}[i > 0], i)
	}
	out.WriteString(")\n{\n\t.reg .b64 %p<9>;\n\t.reg .b64 %at;\n\t.reg .b32 %who;\n\t.reg .b32 %flag;\n\tmov.u32 %who, %tid.x;\n")
	var body, stores strings.Builder
	for i, t := range types {
		class, memory, bytes, err := register(t)
		if err != nil {
			return err
		}
		r := "%" + symbols[i:i+1]
		fmt.Fprintf(out, "\t.reg .%s %s;\n", class, r)
		address := fmt.Sprintf("\tld.param.u64 %%p%d, [p%d];\n\tmad.wide.u32 %%at, %%who, %d, %%p%d;\n", i, i, bytes, i)
		switch operand := i >= len(f.results); {
		case operand && class == "pred":
			fmt.Fprintf(&body, "%s\tld.global.u32 %%flag, [%%at];\n\tsetp.ne.u32 %s, %%flag, 0;\n", address, r)
		case operand:
			fmt.Fprintf(&body, "%s\tld.global.%s %s, [%%at];\n", address, memory, r)
		case class == "pred":
			fmt.Fprintf(&stores, "%s\tselp.u32 %%flag, 1, 0, %s;\n\tst.global.u32 [%%at], %%flag;\n", address, r)
		default:
			fmt.Fprintf(&stores, "%s\tst.global.%s [%%at], %s;\n", address, memory, r)
		}
	}
	text := f.text
	for _, s := range symbols {
		text = strings.ReplaceAll(text, "$"+string(s), "%"+string(s))
	}
	fmt.Fprintf(out, "%s\t%s\n%s\tret;\n}\n", body.String(), text, stores.String())
	return nil
}
