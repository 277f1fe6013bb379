package workers

// Pool is a pool of its own, for tests that count goroutines.
type Pool struct{ p pool }

func (p *Pool) Range(n, width, chunk int, fn func(worker, lo, hi int) error) error {
	return p.p.run(n, width, chunk, nil, fn)
}

func (p *Pool) Trim() { p.p.trim() }

func (p *Pool) Stop() { p.p.stopIdle() }

func (p *Pool) Running() int {
	p.p.mu.Lock()
	defer p.p.mu.Unlock()
	return p.p.total
}

// Consistent reports whether, with no call in progress, nothing is left in the pool's lists.
func (p *Pool) Consistent() bool {
	p.p.mu.Lock()
	defer p.p.mu.Unlock()
	return p.p.open == 0 && p.p.jobs == list{} && p.p.total-p.p.waking == p.p.nidle
}
