// Package lint holds the rules of this repository as tests: who may import whom, where unsafe may stand, how long files
// and functions may be, and which modules a user of the root module loads.
package lint
