package mpi

// rivalry is how an operation that looks for a message stands to earlier ones that still do.
type rivalry uint8

const (
	noRival    rivalry = iota
	someRival          // one of them may want the message that this one finds
	equalRival         // one of them wants just the same, so that there is none for this one
)

// searches reports whether an operation looks for a message by itself, and has not found it.
func (o *op) searches() bool { return o.lib.search && !o.lib.taken }

// rivals compares what o wants with what the searches among earlier operations want.
func (e *engine) rivals(earlier []*op, o *op) rivalry {
	switch o.kind {
	case opRecv, opObject, opProbe:
	default:
		return noRival
	}
	r := noRival
	for _, p := range earlier {
		if p.where.handle != o.where.handle || !p.searches() {
			continue
		}
		if p.peer == o.peer && p.tag == o.tag {
			return equalRival
		}
		if (p.peer == o.peer || p.peer == AnySource || o.peer == AnySource) && (p.tag == o.tag || p.tag == AnyTag || o.tag == AnyTag) {
			r = someRival
		}
	}
	return r
}

// find asks the library for a message for o, takes it out of the library's queue unless o is a probe, and leaves its
// status in o. MPI gives a message to the first receive that wants it; where such receives are searches, of which the
// library does not know, that is seen to here: a message that an earlier search wants is left to that, which comes before
// o in the next turn and finds this message or one before it.
func (e *engine) find(earlier []*op, o *op) (found bool, err error) {
	l := &o.lib
	rival := e.rivals(earlier, o)
	if rival == equalRival && o.kind != opProbe {
		return false, nil
	}
	source, tag := e.source(o), e.tag(o)
	if rival != noRival || o.kind == opProbe {
		rc := e.call(o, fnIprobe, source, tag, o.where.handle, cell(&l.flag), cell(&l.status))
		if err := e.lib.failure(rc); err != nil || l.flag == 0 {
			return false, err
		}
		o.status, _ = e.received(o)
		if wanted(earlier, o) || o.kind == opProbe {
			return !wanted(earlier, o), nil
		}
		source, tag = word(o.status.Source), word(o.status.Tag) // no rival wants these
	}
	rc := e.call(o, fnImprobe, source, tag, o.where.handle, cell(&l.flag), cell(&l.message), cell(&l.status))
	return l.flag != 0, e.lib.failure(rc)
}

// wanted reports whether an earlier search wants the message whose status o has.
func wanted(earlier []*op, o *op) bool {
	for _, p := range earlier {
		if p.where.handle == o.where.handle && p.searches() &&
			(p.peer == o.status.Source || p.peer == AnySource) && (p.tag == o.status.Tag || p.tag == AnyTag) {
			return true
		}
	}
	return false
}
