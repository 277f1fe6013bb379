package nvidia

import (
	"bytes"
	"debug/elf"
	"encoding/binary"

	"github.com/tandem-go/tandem/internal/driver"
)

const (
	elfMagic    = "\x7fELF"
	elfVersion  = 20 // offset of e_version (System V ABI, ELF Header)
	fatbinMagic = 0xba55ed50
	// fatbinHeader is magic (4 bytes), version (2), size of this header (2), size of what follows (8).
	fatbinHeader = 16
	// imagePadding follows a binary, so that a reader who goes a little too far meets zeros.
	imagePadding = 4 << 10
)

// prepare checks an image as far as the driver does not, which takes no length: it reads text up to a zero byte, and
// binaries as far as their headers say. It returns a copy that the driver may read, and whether it is text.
func prepare(image []byte) (data []byte, text bool, err error) {
	switch {
	case len(image) == 0:
		return nil, false, fail(driver.InvalidImage, "the image is empty")
	case bytes.HasPrefix(image, []byte(elfMagic)):
		err = checkELF(image)
	case len(image) >= 4 && binary.LittleEndian.Uint32(image) == fatbinMagic:
		err = checkFatbin(image)
	default:
		ptx := bytes.TrimRight(image, "\x00")
		if bytes.IndexByte(ptx, 0) >= 0 {
			return nil, false, fail(driver.InvalidImage, "the image is neither PTX, nor a cubin, nor a fatbin")
		}
		return append(bytes.Clone(ptx), 0), true, nil
	}
	if err != nil {
		return nil, false, err
	}
	return append(bytes.Clone(image), make([]byte, imagePadding)...), false, nil
}

// checkELF makes sure that a cubin's tables and sections lie within it.
func checkELF(image []byte) error {
	if len(image) >= elfVersion+4 {
		// NVIDIA's tools write their own version where ELF wants a 1, and debug/elf insists on that.
		image = bytes.Clone(image)
		binary.LittleEndian.PutUint32(image[elfVersion:], uint32(elf.EV_CURRENT))
	}
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return fail(driver.InvalidImage, "the cubin is damaged: %v", err)
	}
	within := func(off, n uint64) bool { return off <= uint64(len(image)) && n <= uint64(len(image))-off }
	for _, s := range f.Sections {
		if s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL && !within(s.Offset, s.FileSize) {
			return fail(driver.InvalidImage, "the cubin is damaged: section %s ends behind the file", s.Name)
		}
	}
	for _, p := range f.Progs {
		if !within(p.Off, p.Filesz) {
			return fail(driver.InvalidImage, "the cubin is damaged: a segment ends behind the file")
		}
	}
	return nil
}

// checkFatbin makes sure that a fatbin is as long as it says.
func checkFatbin(image []byte) error {
	if len(image) < fatbinHeader {
		return fail(driver.InvalidImage, "the fatbin is cut off")
	}
	header, size := uint64(binary.LittleEndian.Uint16(image[6:])), binary.LittleEndian.Uint64(image[8:])
	if header < fatbinHeader || header > uint64(len(image)) || size > uint64(len(image))-header {
		return fail(driver.InvalidImage, "the fatbin is damaged: it is %d bytes long and says %d and %d", len(image), header, size)
	}
	return nil
}
