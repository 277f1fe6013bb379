package hostdev_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/hostdev"
)

func openForGraphs(t *testing.T) driver.Device {
	d, err := hostdev.New(hostdev.Config{Workers: 2, MemoryLimit: 64 << 20}).Open(0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// TestGraphBranches: nodes that do not wait for each other run at the same time, here because each needs the others to begin.
func TestGraphBranches(t *testing.T) {
	const n = 10
	d := openForGraphs(t)
	g, err := d.NewGraph()
	require.NoError(t, err)
	var all sync.WaitGroup
	all.Add(n)
	var before []driver.Node
	for range n {
		node, err := d.AddHostFunc(g, nil, func() {
			all.Done()
			all.Wait()
		})
		require.NoError(t, err)
		before = append(before, node)
	}
	joined := false
	_, err = d.AddHostFunc(g, before, func() { joined = true })
	require.NoError(t, err)
	x, err := d.Instantiate(g)
	require.NoError(t, err)
	require.NoError(t, d.LaunchGraph(x, 0))
	require.NoError(t, d.Synchronize(0))
	require.True(t, joined)
}

// TestGraphOrder: in random graphs each node runs once, behind those that it waits for, behind what was queued before the launch
// and before what was queued after it.
func TestGraphOrder(t *testing.T) {
	d := openForGraphs(t)
	s, err := d.NewStream(0)
	require.NoError(t, err)
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 3))
		g, err := d.NewGraph()
		require.NoError(t, err)
		var mu sync.Mutex
		var ran []int
		note := func(i int) func() {
			return func() {
				mu.Lock()
				defer mu.Unlock()
				ran = append(ran, i)
			}
		}
		n := 1 + rng.IntN(60)
		nodes, waits := make([]driver.Node, n), make([][]int, n)
		for i := range n {
			var before []driver.Node
			for j := range i {
				if rng.IntN(i) < 2 {
					waits[i], before = append(waits[i], j), append(before, nodes[j])
				}
			}
			nodes[i], err = d.AddHostFunc(g, before, note(i))
			require.NoError(t, err)
		}
		x, err := d.Instantiate(g)
		require.NoError(t, err)
		require.NoError(t, d.HostFunc(s, note(-1)))
		require.NoError(t, d.LaunchGraph(x, s))
		require.NoError(t, d.HostFunc(s, note(-2)))
		require.NoError(t, d.Synchronize(s))
		require.Len(t, ran, n+2)
		require.Equal(t, -1, ran[0])
		require.Equal(t, -2, ran[n+1])
		place := map[int]int{}
		for at, i := range ran {
			place[i] = at
		}
		require.Len(t, place, n+2, "each once")
		for i, w := range waits {
			for _, j := range w {
				require.Less(t, place[j], place[i], "seed %d: node %d waits for %d", seed, i, j)
			}
		}
	}
}

// TestGraphRefused: a graph whose last node cannot be queued any more leaves nothing of the others behind, on any stream.
func TestGraphRefused(t *testing.T) {
	d := openForGraphs(t)
	p, err := d.Alloc(64)
	require.NoError(t, err)
	g, err := d.NewGraph()
	require.NoError(t, err)
	for range 5 {
		_, err = d.AddHostFunc(g, nil, func() { t.Error("a node of a graph that was refused ran") })
		require.NoError(t, err)
	}
	_, err = d.AddFill(g, nil, p, 1, 4, 16)
	require.NoError(t, err)
	x, err := d.Instantiate(g)
	require.NoError(t, err)
	require.NoError(t, d.Free(p))
	require.ErrorIs(t, d.LaunchGraph(x, 0), driver.InvalidValue)
	require.NoError(t, d.Synchronize(0))
}
