package cudatest

// Leaks, Skip and Summary are the parts that a test sees from inside.
var (
	Leaks   = leaks
	Skip    = skip
	Summary = summary
	Watch   = watch
)
