package debuginfo

// Exports for tests.
var Demangle = demangle

// Assemble returns the bytes of the debug sections.
func Assemble(ptx []byte) (map[string][]byte, error) { return assemble(ptx) }
