package hostdev

import (
	"bytes"

	"github.com/tandem-go/tandem/internal/driver"
)

// foreignImages are images that hold machine code of GPUs, by their first bytes.
var foreignImages = []struct{ magic, what string }{
	{"\x7fELF", "a cubin holds machine code of a GPU"},
	{"\x50\xed\x55\xba", "a fatbin is not searched for PTX"},
	{"\xb1\x43\x62\x46", "a fatbin is not searched for PTX"},
	{"!<arch>\n", "a library holds machine code of a GPU"},
}

// source returns the PTX text of an image, which may end with zeros, as C strings do.
func source(image []byte) ([]byte, error) {
	for _, f := range foreignImages {
		if bytes.HasPrefix(image, []byte(f.magic)) {
			return nil, fail(driver.NoBinaryForGPU, "load module: %s, and the host device runs PTX text", f.what)
		}
	}
	text := bytes.TrimRight(image, "\x00")
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, fail(driver.InvalidImage, "load module: the image is empty")
	}
	for i, c := range text {
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' && c != '\v' && c != '\f' {
			return nil, fail(driver.InvalidImage, "load module: the image is not PTX text: byte %#02x at %d", c, i)
		}
	}
	return text, nil
}
