package policy_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/hetero/policy"
)

// logged is a log of a run of two devices by a policy, one of which fails in the middle.
func logged(t testing.TB, p policy.Policy) *policy.DecisionLog {
	s := policy.State{Total: 100_000, Remaining: 100_000, Devices: []policy.Device{{Overhead: 5000}, {Overhead: 40_000, Align: 256}}}
	rates := []float64{1e6, 7e6}
	l := &policy.DecisionLog{}
	l.Begin(&s)
	id := uint64(0)
	type flight struct {
		id  uint64
		end time.Duration
	}
	var now [2]*flight
	for {
		for d := range now {
			if now[d] != nil || s.Devices[d].Dead {
				continue
			}
			left := s.Remaining
			n, why := p.Next(&s, d)
			if n == 0 {
				continue
			}
			id++
			s.Issue(d, id, n)
			l.Add(policy.Event{At: s.Now, Device: d, Chunk: id, N: n, Size: n, Why: why, Remaining: left})
			now[d] = &flight{id, s.Now + s.Devices[d].Overhead + time.Duration(float64(n)/rates[d]*1e9)}
		}
		d := 0
		if now[0] == nil || now[1] != nil && now[1].end < now[0].end {
			d = 1
		}
		f := now[d]
		if f == nil {
			require.Zero(t, s.Remaining)
			return l
		}
		now[d], s.Now = nil, f.end
		if d == 1 && f.id > 20 {
			s.Drop(d, f.id)
			s.Devices[d].Dead = true
			l.Add(policy.Event{Kind: policy.Dropped, At: s.Now, Device: d, Chunk: f.id})
			l.Add(policy.Event{Kind: policy.Out, At: s.Now, Device: d})
			continue
		}
		s.Finish(d, f.id)
		l.Add(policy.Event{Kind: policy.Finished, At: s.Now, Device: d, Chunk: f.id})
	}
}

// TestLogIsAskedAgain: the same policy gives the same answers at each decision of a log, also of one that was in a file, and
// another policy is found out.
func TestLogIsAskedAgain(t *testing.T) {
	p := policy.Adaptive(policy.AdaptiveConfig{})
	l := logged(t, p)
	asked, err := l.Check(p)
	require.NoError(t, err)
	require.Greater(t, asked, 20)

	var file bytes.Buffer
	n, err := l.WriteTo(&file)
	require.NoError(t, err)
	require.EqualValues(t, file.Len(), n)
	back, err := policy.ReadDecisions(&file)
	require.NoError(t, err)
	require.Equal(t, l.Events(), back.Events())
	again, err := back.Check(p)
	require.NoError(t, err)
	require.Equal(t, asked, again)
	require.Equal(t, 100_000, back.Total())
	require.Equal(t, 2, back.Devices())

	asked, err = l.Check(policy.Adaptive(policy.AdaptiveConfig{MaxChunk: 0.03}))
	require.ErrorContains(t, err, "decision ")
	require.Greater(t, asked, 2, "the first chunks are the same")
	_, err = l.Check(policy.Dynamic(100))
	require.ErrorContains(t, err, "decision 1, event 0 at 0s: device 0 gets 100 items (share), and got 50 (probe)")
}

// TestReplayGivesTheSameChunks, in the same order, whenever devices ask; and all the rest if one is lost.
func TestReplayGivesTheSameChunks(t *testing.T) {
	l := logged(t, policy.Adaptive(policy.AdaptiveConfig{}))
	p := policy.Replay(l)
	for seed := range uint64(20) {
		r := random(seed)
		s := policy.State{Total: 100_000, Remaining: 100_000, Devices: make([]policy.Device, 2)}
		lose := seed%2 == 1
		for _, e := range l.Events() {
			if e.Kind != policy.Issued {
				continue
			}
			if other := 1 - e.Device; r.IntN(2) == 0 && !s.Devices[other].Dead {
				n, why := p.Next(&s, other)
				require.Zero(t, n, "it is not its turn")
				require.Equal(t, policy.Reserved, why)
			}
			n, why := p.Next(&s, e.Device)
			require.Equal(t, min(e.N, s.Remaining), n)
			require.Equal(t, e.Why, why)
			s.Issue(e.Device, e.Chunk, n)
			if lose && e.Chunk == 9 {
				s.Devices[0].Dead = true
				break
			}
			if s.Remaining == 0 {
				break
			}
		}
		for i := uint64(1000); lose && s.Remaining > 0; i++ {
			n, why := p.Next(&s, 1)
			require.Positive(t, n, "%v", why)
			s.Issue(1, i, n)
		}
		require.Zero(t, s.Remaining)
	}
}

// TestDecisionsReadAnything cuts a file at each byte: an error that says so, and never a panic.
func TestDecisionsReadAnything(t *testing.T) {
	var file bytes.Buffer
	_, err := logged(t, policy.Dynamic(20_000)).WriteTo(&file)
	require.NoError(t, err)
	whole := strings.TrimSpace(file.String())
	for n := range len(whole) {
		_, err := policy.ReadDecisions(strings.NewReader(whole[:n]))
		require.ErrorIs(t, err, policy.ErrLog, "cut at byte %d of %d", n, len(whole))
		for _, c := range `-9"{` {
			if l, err := policy.ReadDecisions(strings.NewReader(whole[:n] + string(c) + whole[n+1:])); err == nil {
				_, _ = l.Check(policy.Dynamic(20_000))
				policy.Replay(l)
			} else {
				require.ErrorIs(t, err, policy.ErrLog)
			}
		}
	}
	for name, text := range map[string]string{
		"no device":      `{"schema":1,"total":5,"devices":[]}`,
		"another schema": `{"schema":2,"total":5,"devices":[{}]}`,
		"its device":     `{"schema":1,"total":5,"devices":[{}],"events":[{"device":1,"n":1,"size":1}]}`,
		"too many items": `{"schema":1,"total":5,"devices":[{}],"events":[{"device":0,"n":6,"size":6}]}`,
	} {
		_, err := policy.ReadDecisions(strings.NewReader(text))
		require.ErrorIs(t, err, policy.ErrLog, name)
	}
	var none *policy.DecisionLog
	none.Begin(nil)
	none.Add(policy.Event{})
}
