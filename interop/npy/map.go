package npy

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// Mapped is a file in memory that the system reads when it is touched. Its elements must not be written.
type Mapped struct {
	Array
	all []byte
}

// Map maps a file. Bytes are as they are in the file, so big-endian elements are refused: ReadFile turns them. Nothing may
// cut the file while it is mapped: reading beyond its new end kills the process, as with any mapping. Close it after use.
// Where the system has no such mapping, the file is read.
func Map(name string) (*Mapped, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := mapFile(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	m := &Mapped{all: all}
	if err := m.parse(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), m.Close())
	}
	return m, nil
}

func (m *Mapped) parse() error {
	r := bytes.NewReader(m.all)
	h, big, err := readHeader(r)
	if err != nil {
		return err
	}
	n, err := h.bytes()
	if err != nil {
		return err
	}
	if big && h.ElementBytes() > 1 {
		return errors.New("elements are big-endian, which a mapping cannot turn")
	}
	if r.Len() < n {
		return short(&h, fmt.Errorf("%d bytes of %d", r.Len(), n))
	}
	at := len(m.all) - r.Len()
	m.Array = Array{Header: h, Data: m.all[at : at+n : at+n]}
	return nil
}

// Close unmaps the file. The elements must not be used afterwards. Closing again does nothing.
func (m *Mapped) Close() error {
	all := m.all
	m.all, m.Data = nil, nil
	if len(all) == 0 {
		return nil
	}
	return unmap(all)
}
