package enginetest

import (
	"fmt"
	"io/fs"
	"strings"
)

// Instruction is an instruction of PTX, or a few, that the tables of instructions (testdata/run/*.forms) compute.
type Instruction struct {
	// Text has $d, $e, $x, $y for results and $a, $b, $c, $f for operands.
	Text string
	// Types are the types that results and operands have in memory, by the letter behind the $; pred is a predicate.
	Types map[byte]string
}

// Instructions are those of all tables, for tests that make programs of them.
func Instructions() (all []Instruction, err error) {
	names, err := fs.Glob(files, "testdata/run/*.forms")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		_, rest, _ := strings.Cut(string(text), "\n")
		forms, err := parseForms(rest)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, f := range forms {
			in := Instruction{f.text, map[byte]string{}}
			for i, t := range f.results {
				in.Types[resultNames[i]] = t
			}
			for i, t := range f.operands {
				in.Types[operandNames[i]] = t
			}
			all = append(all, in)
		}
	}
	return all, nil
}
