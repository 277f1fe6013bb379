package parity

// PyCUDASections is how many of the sections are about PyCUDA.
const PyCUDASections = pycudaSections

// PyCUDAName is one line of names.
type PyCUDAName struct{ Module, Row, Names string }

// PyCUDANames are all lines.
var PyCUDANames = func() (all []PyCUDAName) {
	for _, n := range pycudaNames {
		all = append(all, PyCUDAName{n.module, n.row, n.names})
	}
	return all
}()
