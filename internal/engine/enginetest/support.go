package enginetest

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// Executed runs all run files of PTX on an engine that counts executions, the reference engine, and returns the opcodes that
// passing launches have executed, each with the name of the first file that did.
func Executed(e engine.Engine) (map[string]string, error) {
	out := map[string]string{}
	for _, pattern := range []string{"testdata/run/*", "testdata/hazard/*"} {
		names, err := fs.Glob(files, pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if path.Ext(name) == ".ir" {
				continue
			}
			text, err := files.ReadFile(name)
			if err != nil {
				return nil, err
			}
			if err := executedBy(e, strings.TrimPrefix(name, "testdata/"), string(text), out); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return out, nil
}

func executedBy(e engine.Engine, name, text string, out map[string]string) error {
	if path.Ext(name) == ".forms" {
		var err error
		if text, err = expandForms(text); err != nil {
			return err
		}
	}
	runs, err := parseRuns(text)
	if err != nil {
		return err
	}
	m, err := ptx.Parse(path.Base(name), []byte(text))
	if err != nil {
		return err
	}
	c, err := check.Check(m)
	if err != nil {
		return err
	}
	compile, err := loadPTX(path.Base(name), text)
	if err != nil {
		return err
	}
	way := modes[0]
	if strings.Contains(text, "\n// together\n") {
		way = spinning[0]
	}
	for _, l := range runs {
		variants, err := compile(l.kernel)
		if err != nil {
			return err
		}
		x := variants[0].executable // as lowered: passes remove instructions
		x.cover = new(engine.Coverage)
		o, err := execute(e, x, l, way)
		if err != nil {
			return err
		}
		if len(judge(l, o)) > 0 {
			continue
		}
		for _, op := range opcodes(c, x.kernel, x.cover) {
			if out[op] == "" {
				out[op] = name
			}
		}
	}
	return nil
}

// opcodes returns the opcodes of the functions of k that were executed. An instruction that became nothing, such as a move,
// was executed if the next one of its basic block that became something was, or the last before it.
func opcodes(c *check.Checked, k *ir.Kernel, cover *engine.Coverage) (out []string) {
	known, counts := map[int32]bool{}, map[int32]uint64{}
	for _, f := range k.Funcs {
		for _, b := range f.Blocks {
			for _, in := range b.Instrs {
				known[in.Pos.PTXLine] = true
				counts[in.Pos.PTXLine] += cover.Count(in)
			}
		}
	}
	for _, f := range k.Funcs {
		fn := c.Func(f.Name)
		if fn == nil {
			continue
		}
		for _, b := range straight(fn) {
			var waiting []string
			ran := false
			for i := range b {
				op, line := b[i].Src.Name, int32(b[i].Src.Pos.Line)
				if !known[line] {
					waiting = append(waiting, op)
					continue
				}
				if ran = counts[line] > 0; ran {
					out = append(append(out, waiting...), op)
				}
				waiting = nil
			}
			if ran {
				out = append(out, waiting...)
			}
		}
	}
	return out
}

// straight divides the code of a function at labels and behind branches.
func straight(fn *check.Func) (parts [][]check.Instr) {
	cut := map[int]bool{}
	for _, l := range fn.Labels {
		cut[l.Index] = true
	}
	begin := 0
	for i := range fn.Code {
		if cut[i] && i > begin {
			parts = append(parts, fn.Code[begin:i])
			begin = i
		}
		switch fn.Code[i].Src.Op {
		case "bra", "brx", "ret", "exit", "trap":
			parts = append(parts, fn.Code[begin:i+1])
			begin = i + 1
		}
	}
	return append(parts, fn.Code[begin:])
}
