package nvrtc

import "runtime"

// AwaitCompiling returns once a compilation is under way.
func AwaitCompiling(c *Compiler) {
	for len(c.lib.slots) == 0 {
		runtime.Gosched()
	}
}

// AwaitIdle returns once no compilation is under way.
func AwaitIdle(c *Compiler) {
	for range cap(c.lib.slots) {
		c.lib.slots <- struct{}{}
	}
	for range cap(c.lib.slots) {
		<-c.lib.slots
	}
}

// Exports for tests.
var (
	Includes     = includes
	LibrariesIn  = librariesIn
	FileVersion  = fileVersion
	DebugVariant = debugVariant
	EncodeResult = encodeResult
	DecodeResult = decodeResult
)

// Key returns the cache key of a program.
func Key(c *Compiler, p Program) string { return c.key(p.unit()) }

// CompileBare makes the library's calls and nothing else.
func CompileBare(c *Compiler, p Program) error {
	u := p.unit()
	u.name = "kernel.cu"
	_, err := c.lib.compile(u, nil)
	return err
}
