package cuda

import "fmt"

// Dim3 is the extent of a grid in blocks or of a block in threads. All three must be at least 1; D1 and D2 fill up.
type Dim3 struct{ X, Y, Z int }

// D1 is an extent in one dimension.
func D1(x int) Dim3 { return Dim3{x, 1, 1} }

// D2 is an extent in two dimensions.
func D2(x, y int) Dim3 { return Dim3{x, y, 1} }

// D3 is an extent in three dimensions.
func D3(x, y, z int) Dim3 { return Dim3{x, y, z} }

// Blocks is the one-dimensional grid of blocks of the given number of threads that covers n elements: n/threads, rounded
// up. It is not a legal grid if n is 0, which Launch reports.
func Blocks(n, threads int) Dim3 {
	if n <= 0 || threads <= 0 {
		return D1(0)
	}
	return D1((n-1)/threads + 1)
}

// String returns "(x,y,z)".
func (d Dim3) String() string { return fmt.Sprintf("(%d,%d,%d)", d.X, d.Y, d.Z) }
