// Package check finds every reason to reject a PTX module, and hands on what it found out while looking.
//
// Check resolves every name to its declaration, matches every instruction with a form of the PTX ISA, and types every
// operand, so that package lower need not look at names again. Which forms exist stands in tables (table_*.go), one
// line for each; forms above what the host device runs are in them too: whether a form can be executed is not decided
// here, only whether it is PTX. What the hardware restricts further (the architecture or the PTX version that a form
// needs, bounds of registers and memory) is not checked.
package check
