package check

// Lines returns every line of the tables.
func Lines() (lines []string) {
	for _, read := range table() {
		for _, s := range read() {
			lines = append(lines, s.line)
		}
	}
	return lines
}

// Line returns the line of the tables that f comes from.
func (f *Form) Line() string { return f.spec.line }
