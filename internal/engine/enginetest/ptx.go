package enginetest

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/lower"
	"github.com/tandem-go/tandem/internal/passes"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// loadPTX parses and checks a file of PTX.
func loadPTX(name, text string) (func(string) ([]variant, error), error) {
	m, err := ptx.Parse(name, []byte(text))
	if err != nil {
		return nil, err
	}
	c, err := check.Check(m)
	if err != nil {
		return nil, err
	}
	variables := map[string]variable{}
	for _, v := range lower.Variables(c) {
		variables[lower.VariableName(v)] = newVariable(c, v)
	}
	return func(kernel string) (variants []variant, err error) {
		for _, optimised := range []bool{false, true} {
			k, err := lower.Kernel(c, kernel)
			if err != nil {
				return nil, err
			}
			if err := ir.Verify(k); err != nil {
				return nil, fmt.Errorf("lowered: %w", err)
			}
			name := "lowered"
			if optimised {
				name = "optimised"
				if err := passes.Run(k, passes.Options{Verify: true, Fold: ops.Fold}); err != nil {
					return nil, err
				}
			}
			f := c.Func(kernel)
			variants = append(variants, variant{name, executable{kernel: k, variables: variables, layout: func(args []argument) ([]int, int) {
				return declared(f, args)
			}}})
		}
		return variants, nil
	}, nil
}

// newVariable says what v holds when the module is loaded.
func newVariable(c *check.Checked, v *check.Var) variable {
	contents := make([]byte, v.Size)
	copy(contents, v.Data)
	return variable{contents: contents, patch: func(b []byte, addresses map[string]uint64) {
		for _, r := range v.Relocs {
			addr := uint64(r.Addend)
			if r.Func != nil {
				a, _ := lower.FunctionAddress(c, r.Func)
				addr += a
			} else {
				addr += addresses[lower.VariableName(r.Var)]
			}
			put(b[r.Offset:][:r.Size], addr>>r.Shift)
		}
	}}
}

// declared lays parameters out as the entry says; none if an argument has another size than its parameter.
func declared(f *check.Func, args []argument) (offsets []int, size int) {
	if len(args) != len(f.Params) {
		return make([]int, len(f.Params)), 0
	}
	for i, p := range f.Params {
		if int(p.Size) != args[i].size() {
			return nil, 0
		}
		size = (size + p.Align - 1) / p.Align * p.Align
		offsets = append(offsets, size)
		size += int(p.Size)
	}
	return offsets, size
}
