package cuapi

import "github.com/tandem-go/tandem/internal/dl"

// Handles of references, which belong to their module.
type (
	// TexRef is a CUtexref.
	TexRef uintptr
	// SurfRef is a CUsurfref.
	SurfRef uintptr
)

// ModuleGetTexRef finds a texture reference.
func (l *Library) ModuleGetTexRef(m Module, name string) (TexRef, error) {
	h := new(uintptr)
	err := l.call(ModuleGetTexRef, dl.NewFrame().Word(h).Int(uintptr(m)).String(name))
	return TexRef(*h), err
}

// ModuleGetSurfRef finds a surface reference.
func (l *Library) ModuleGetSurfRef(m Module, name string) (SurfRef, error) {
	h := new(uintptr)
	err := l.call(ModuleGetSurfRef, dl.NewFrame().Word(h).Int(uintptr(m)).String(name))
	return SurfRef(*h), err
}

// step is one of the calls that set a reference.
type step struct {
	entry Entry
	frame *dl.Frame
}

// TexRefSet makes a reference read what a texture object of r and s would: an array or memory. It stops at the first call that
// fails.
func (l *Library) TexRefSet(t TexRef, r *Resource, s *Sampling) error {
	of := func() *dl.Frame { return dl.NewFrame().Int(uintptr(t)) }
	steps := []step{{TexRefSetArray, of().Int(uintptr(r.Array)).Int(referenceFormat)}}
	if r.Array == 0 {
		steps = []step{{TexRefSetFormat, of().Int(uintptr(r.Format)).Int(uintptr(r.Channels))}, r.bind(t)}
	}
	for dim, mode := range s.Address {
		steps = append(steps, step{TexRefSetAddressMode, of().Int(uintptr(dim)).Int(uintptr(mode))})
	}
	steps = append(steps,
		step{TexRefSetFilterMode, of().Int(uintptr(filter(s.Linear)))},
		step{TexRefSetBorderColor, of().Ints(s.border())},
		step{TexRefSetFlags, of().Int(uintptr(s.flags()))})
	for _, c := range steps {
		if err := l.call(c.entry, c.frame); err != nil {
			return err
		}
	}
	return nil
}

// bind is the call that makes a reference read memory: a row of texels, or rows.
func (r *Resource) bind(t TexRef) step {
	if r.Height == 0 {
		offset := new(uintptr) // of the address in an aligned row: 0, as the address is aligned
		return step{TexRefSetAddress, dl.NewFrame().Word(offset).Int(uintptr(t)).Int(uintptr(r.Ptr)).Int(uintptr(r.Bytes))}
	}
	desc := []uintptr{uintptr(r.Width), uintptr(r.Height), pair(r.Format, r.Channels)}
	return step{TexRefSetAddress2D, dl.NewFrame().Int(uintptr(t)).Words(desc).Int(uintptr(r.Ptr)).Int(uintptr(r.Pitch))}
}

// SurfRefSetArray makes a reference read and write an array.
func (l *Library) SurfRefSetArray(s SurfRef, a Array) error {
	return l.call(SurfRefSetArray, dl.NewFrame().Int(uintptr(s)).Int(uintptr(a)).Int(0))
}
