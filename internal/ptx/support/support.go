// Package support tells which forms of PTX instructions the host device executes: those that a passing run file of the
// conformance suite has executed, weighed by how many real kernels use them.
//
// A form is an instruction with its modifiers and the class of its types: what moves or combines bits is one form for all
// types, arithmetic is one form for integers and one for each floating-point type, comparisons are one for each class of
// operands, conversions one for each pair of classes.
package support

import (
	"cmp"
	_ "embed" // for the tables
	"fmt"
	"slices"
	"strconv"
	"strings"
)

//go:embed testdata/ptx_ops.tsv
var histogram string

//go:embed executed.tsv
var executed string

// Op is an opcode as written in real kernels, without operands.
type Op struct {
	Name string
	// Count is how often it stands in the kernels, Kernels how many different kernels it is in.
	Count, Kernels int
}

// Histogram returns the opcodes of the 2,204 kernels of public CUDA projects, compiled for compute capability 7.5, most
// frequent first.
func Histogram() []Op {
	var out []Op
	for _, line := range strings.Split(strings.TrimSpace(histogram), "\n")[1:] {
		f := strings.Split(line, "\t")
		count, _ := strconv.Atoi(f[1])
		kernels, _ := strconv.Atoi(f[2])
		out = append(out, Op{f[0], count, kernels})
	}
	return out
}

// types are the classes of type modifiers.
var types = map[string]string{
	"u8": "int", "u16": "int", "u32": "int", "u64": "int", "s8": "int", "s16": "int", "s32": "int", "s64": "int",
	"b8": "int", "b16": "int", "b32": "int", "b64": "int", "b128": "int",
	"f16": "f16", "f16x2": "f16x2", "bf16": "bf16", "bf16x2": "bf16x2", "tf32": "tf32", "f32": "f32", "f64": "f64", "pred": "pred",
	"u16x2": "intx2", "s16x2": "intx2",
}

// typeless are the instructions whose forms have no types: they move or combine bits.
var typeless = map[string]bool{
	"mov": true, "ld": true, "st": true, "ldu": true, "selp": true, "slct": true, "and": true, "or": true, "xor": true, "not": true,
	"cnot": true, "shl": true, "shr": true, "shf": true, "prmt": true, "bfi": true, "bfe": true, "bfind": true, "brev": true,
	"popc": true, "clz": true, "lop3": true, "cvta": true, "isspacep": true, "shfl": true, "vote": true, "match": true,
	"activemask": true, "tex": true, "tld4": true, "suld": true, "sust": true, "atom": true, "red": true, "bar": true,
	"barrier": true, "call": true, "ret": true, "membar": true, "fence": true, "dp2a": true, "dp4a": true,
	"vabsdiff2": true, "vabsdiff4": true, "mad24": true, "mul24": true, "sad": true,
}

var comparisons = map[string]bool{
	"eq": true, "ne": true, "lt": true, "le": true, "gt": true, "ge": true, "lo": true, "ls": true, "hi": true, "hs": true,
	"equ": true, "neu": true, "ltu": true, "leu": true, "gtu": true, "geu": true, "num": true, "nan": true,
}

// Form returns the form of an opcode such as "cvt.rn.f32.s32": here "cvt.rn f32<-int". The order of modifiers does not
// matter.
func Form(opcode string) string {
	parts := strings.Split(opcode, ".")
	base := parts[0]
	var mods, classes []string
	for _, p := range parts[1:] {
		switch class := types[p]; {
		case class != "":
			classes = append(classes, class)
		case (base == "setp" || base == "set") && comparisons[p]: // one form for all comparisons
		default:
			mods = append(mods, p)
		}
	}
	slices.Sort(mods)
	form := strings.Join(append([]string{base}, mods...), ".")
	switch {
	case typeless[base] || len(classes) == 0:
		return form
	case base == "cvt" && len(classes) == 2:
		return fmt.Sprintf("%s %s<-%s", form, classes[0], classes[1])
	}
	return form + " " + strings.Join(slices.Compact(classes), " ")
}

// Supported maps each form that the suite executes to the run file that does.
func Supported() map[string]string {
	out := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(executed), "\n") {
		if form, file, ok := strings.Cut(line, "\t"); ok {
			out[form] = file
		}
	}
	return out
}

// Row is one form of the table of support.
type Row struct {
	Form string
	// Kernels is the number of kernels with an opcode of the form, counted once for each opcode; 0 for forms that no kernel of
	// the histogram has.
	Kernels int
	// File is the run file that executes the form, "" if none does.
	File string
}

// Table returns the forms of the histogram, the most used first, and then the others that the suite executes.
func Table() []Row {
	rows := map[string]*Row{}
	files := Supported()
	for _, op := range Histogram() {
		form := Form(op.Name)
		if rows[form] == nil {
			rows[form] = &Row{Form: form, File: files[form]}
		}
		rows[form].Kernels += op.Kernels
	}
	for form, file := range files {
		if rows[form] == nil {
			rows[form] = &Row{Form: form, File: file}
		}
	}
	out := make([]Row, 0, len(rows))
	for _, r := range rows {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Row) int { return cmp.Or(cmp.Compare(b.Kernels, a.Kernels), cmp.Compare(a.Form, b.Form)) })
	return out
}

// Summary is how much of the histogram is supported.
type Summary struct {
	// Forms is the number of forms in the histogram and Done how many of them the suite executes.
	Forms, Done int
	// Weight is the sum of Row.Kernels, DoneWeight that of supported forms.
	Weight, DoneWeight int
	// Others is the number of forms that the suite executes and no kernel of the histogram has.
	Others int
}

// Share is the supported share of forms, weighed by kernels.
func (s Summary) Share() float64 { return float64(s.DoneWeight) / float64(s.Weight) }

// Summarize sums a table up.
func Summarize(rows []Row) (s Summary) {
	for _, r := range rows {
		if r.Kernels == 0 {
			s.Others++
			continue
		}
		s.Forms++
		s.Weight += r.Kernels
		if r.File != "" {
			s.Done++
			s.DoneWeight += r.Kernels
		}
	}
	return s
}

// Markdown is the table as a page.
func Markdown(rows []Row) string {
	var b strings.Builder
	s := Summarize(rows)
	fmt.Fprintf(&b, `# PTX that the host device executes

Generated from what passing run files of internal/engine/enginetest executed on the reference engine; do not edit. A form is an
instruction with its modifiers and the classes of its types. Kernels is how many kernels of public CUDA projects have it (one
count for each opcode of the form).

%d of %d forms, which is %.2f %% of them weighed by kernels; %d forms more are in no kernel of the histogram.

| form | kernels | run file |
|---|---:|---|
`, s.Done, s.Forms, 100*s.Share(), s.Others)
	for _, r := range rows {
		file, kernels := r.File, strconv.Itoa(r.Kernels)
		if file == "" {
			file = "**none**"
		}
		if r.Kernels == 0 {
			kernels = ""
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.Form, kernels, file)
	}
	return b.String()
}
