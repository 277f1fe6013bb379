// Package ptx reads PTX text into a tree with positions and prints that tree as PTX text.
//
// It holds syntax only. Parse accepts every construct of PTX ISA 6.0 and later, whichever instructions are in it: an
// instruction is a dotted name and operands, and whether it exists, and whether its operands fit, is said by package
// check. Print and Parse are inverse: printing a parsed module and parsing it again gives the same tree, positions
// apart. Headers reads only the headers of kernels, and skips what it does not know.
//
// A tree may be read by several goroutines at once; strings and modifier lists in it are shared and must not be
// changed in place. All strings of a tree are parts of one copy of the source text.
package ptx
