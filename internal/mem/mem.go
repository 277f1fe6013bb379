// Package mem is the host device's memory: one reserved range of addresses outside Go's heap, the table of live
// allocations in it, foreign windows, and the rule of which access is legal.
package mem
