package hostdev

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/lower"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// variables are the variables of one module in global and constant memory. Each is an allocation of its own, so that an
// access beyond its end is a fault.
type variables struct {
	memory     *mem.Space
	at         map[*check.Var]uint64
	named      map[string]uint64 // by the name that ir.Global has
	constBytes int
}

// place allocates and initialises the variables of a module. On error nothing is left.
func place(space *mem.Space, c *check.Checked) (variables, error) {
	vs := variables{memory: space, at: map[*check.Var]uint64{}, named: map[string]uint64{}}
	for _, v := range lower.Variables(c) {
		addr, err := space.Alloc(max(uint64(v.Size), 1))
		if err != nil {
			return variables{}, errors.Join(fmt.Errorf("variable %s of %d bytes: %w", v.Name, v.Size, err), vs.free())
		}
		vs.at[v] = addr
		vs.named[lower.VariableName(v)] = addr
		if v.Space == ptx.ConstSpace {
			vs.constBytes += int(v.Size)
		}
	}
	functions := map[*check.Func]uint64{}
	for v, addr := range vs.at {
		if err := vs.initialise(c, v, addr, functions); err != nil {
			return variables{}, errors.Join(err, vs.free())
		}
	}
	return vs, nil
}

// initialise writes a variable's data: what is not initialised is zero (PTX ISA, Initializers). functions remembers the
// addresses of functions.
func (vs *variables) initialise(c *check.Checked, v *check.Var, addr uint64, functions map[*check.Func]uint64) error {
	b, err := vs.memory.Bytes(addr, uint64(v.Size))
	if err != nil {
		return fmt.Errorf("variable %s: %w", v.Name, err)
	}
	clear(b[copy(b, v.Data):])
	for _, r := range v.Relocs {
		target, known := vs.at[r.Var], r.Var != nil
		if r.Func != nil {
			if target, known = functions[r.Func]; !known {
				target, known = lower.FunctionAddress(c, r.Func)
				functions[r.Func] = target
			}
		}
		if !known || target == 0 {
			return fmt.Errorf("variable %s: byte %d is the address of something that has none", v.Name, r.Offset)
		}
		var le [8]byte
		binary.LittleEndian.PutUint64(le[:], (target+uint64(r.Addend))>>r.Shift)
		copy(b[r.Offset:r.Offset+r.Size], le[:])
	}
	return nil
}

// free gives the memory of all variables back.
func (vs *variables) free() error {
	var errs []error
	for v, addr := range vs.at {
		if err := vs.memory.Free(addr); err != nil {
			errs = append(errs, fmt.Errorf("variable %s: %w", v.Name, err))
		}
	}
	return errors.Join(errs...)
}
