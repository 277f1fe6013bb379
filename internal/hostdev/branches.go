package hostdev

// maxBranches is how many streams the nodes of one launch of a graph are spread over. Chains beyond share these, one behind the
// other, which is allowed: an order that a graph does not ask for is no error.
const maxBranches = 16

// branches spreads the nodes of a graph over streams: each node goes behind one that it waits for if nothing stands there yet, else
// to a stream of its own. It returns the number of streams and, for each node, its stream; the first stream is the launch's.
func (g *graph) branches() (n int, of []int) {
	of = make([]int, len(g.nodes))
	last := []int{-1} // the last node of each stream; -1 if there is none
	for i := range g.nodes {
		of[i] = -1
		for _, b := range g.nodes[i].before {
			if last[of[b]] == b {
				of[i] = of[b]
				break
			}
		}
		switch {
		case of[i] >= 0:
		case last[0] < 0:
			of[i] = 0
		case len(last) < maxBranches:
			of[i] = len(last)
			last = append(last, -1)
		default:
			of[i] = i % maxBranches
		}
		last[of[i]] = i
	}
	return len(last), of
}

// record puts a place into the stream that others can wait for. Called with device.mu held, as wait is.
func (s *stream) record() *record {
	r := &record{s: s, seq: s.queued + 1}
	t := s.d.newTask(taskRecord)
	t.rec = r
	s.enqueue(t)
	return r
}

// await makes later work of the stream wait for a record.
func (s *stream) await(r *record) {
	t := s.d.newTask(taskAwait)
	t.rec = r
	s.enqueue(t)
}

// spread queues all nodes: those that do not wait for each other on different streams, which begin behind what s has now and which
// later work of s waits for. An error leaves nothing behind.
func (g *graph) spread(s *stream) error {
	n, of := g.branches()
	streams := []*stream{s}
	for range n - 1 {
		streams = append(streams, newStream(s.d, s.handle))
	}
	marks := make([]mark, n)
	for i, b := range streams {
		b.batch = true
		marks[i] = b.mark()
	}
	err := g.queue(streams, of)
	for i, b := range streams {
		if b.batch = false; err != nil {
			b.retract(marks[i])
		}
		b.kick()
	}
	return err
}

// queue is spread on streams that were made.
func (g *graph) queue(streams []*stream, of []int) error {
	s := streams[0]
	if len(streams) > 1 {
		begin := s.record()
		for _, b := range streams[1:] {
			b.await(begin)
		}
	}
	awaited := make([]bool, len(g.nodes)) // on another stream
	for i := range g.nodes {
		for _, b := range g.nodes[i].before {
			awaited[b] = awaited[b] || of[b] != of[i]
		}
	}
	places := make([]*record, len(g.nodes))
	for i := range g.nodes {
		on := streams[of[i]]
		for _, b := range g.nodes[i].before {
			if of[b] != of[i] {
				on.await(places[b])
			}
		}
		if err := g.nodes[i].do(on); err != nil {
			return err
		}
		if awaited[i] {
			places[i] = on.record()
		}
	}
	for _, b := range streams[1:] {
		s.await(b.record())
	}
	return nil
}
