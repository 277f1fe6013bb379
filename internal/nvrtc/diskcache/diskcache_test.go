package diskcache_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/internal/nvrtc/diskcache"
)

// childVar makes the test binary a process that fills the cache in the folder it names.
const childVar = "TANDEM_TEST_CACHE_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// key returns the key of a test entry, and blob what belongs under it.
func key(i int) string {
	sum := sha256.Sum256(fmt.Append(nil, i))
	return hex.EncodeToString(sum[:])
}

func blob(i, size int) []byte {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	b := make([]byte, size)
	for j := range b {
		b[j] = byte(r.Uint32())
	}
	return b
}

func open(t testing.TB, limit int64) *diskcache.Cache {
	t.Helper()
	c, notice, err := diskcache.Open(filepath.Join(t.TempDir(), "not", "yet", "there"), limit)
	require.NoError(t, err)
	require.Empty(t, notice)
	return c
}

// files lists the entries in the cache's folder.
func files(t testing.TB, c *diskcache.Cache) (paths []string, total int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(c.Dir(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Dir(path) != c.Dir() {
			info, err := d.Info()
			require.NoError(t, err)
			paths, total = append(paths, path), total+info.Size()
		}
		return err
	}))
	return paths, total
}

func TestPutThenGet(t *testing.T) {
	c := open(t, 0)
	_, ok := c.Get(key(1))
	require.False(t, ok)
	for i, size := range []int{0, 1, 1000, 1 << 20} {
		require.NoError(t, c.Put(key(i), blob(i, size)))
	}
	for i, size := range []int{0, 1, 1000, 1 << 20} {
		got, ok := c.Get(key(i))
		require.True(t, ok)
		require.True(t, bytes.Equal(blob(i, size), got))
	}
	require.NoError(t, c.Put(key(1), []byte("new")))
	got, _ := c.Get(key(1))
	require.Equal(t, "new", string(got))

	again, _, err := diskcache.Open(c.Dir(), 0)
	require.NoError(t, err)
	got, _ = again.Get(key(1))
	require.Equal(t, "new", string(got))
}

func TestKeysThatAreNoHashes(t *testing.T) {
	c := open(t, 0)
	for _, k := range []string{"", "ab", "../../../etc/passwd", "ABCDEF", "abc/def"} {
		require.Error(t, c.Put(k, nil), k)
		_, ok := c.Get(k)
		require.False(t, ok, k)
	}
}

func TestDamagedEntriesAreMissesAndAreReplaced(t *testing.T) {
	c := open(t, 0)
	for name, damage := range map[string]func(b []byte) []byte{
		"empty":         func([]byte) []byte { return nil },
		"cut short":     func(b []byte) []byte { return b[:len(b)-1] },
		"cut in header": func(b []byte) []byte { return b[:20] },
		"too long":      func(b []byte) []byte { return append(b, 0) },
		"a changed bit": func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
		"another file":  func([]byte) []byte { return []byte(strings.Repeat("x", 200)) },
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, c.Put(key(0), blob(0, 500)))
			paths, _ := files(t, c)
			require.Len(t, paths, 1)
			data, err := os.ReadFile(paths[0])
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(paths[0], damage(data), 0o600))
			_, ok := c.Get(key(0))
			require.False(t, ok)
			paths, _ = files(t, c)
			require.Empty(t, paths, "it is gone")
			require.NoError(t, c.Put(key(0), blob(0, 500)))
			got, ok := c.Get(key(0))
			require.True(t, ok)
			require.Equal(t, blob(0, 500), got)
		})
	}
}

func TestTrimRemovesWhatWasUnusedForLongest(t *testing.T) {
	const size, limit = 1000, 10_000
	c := open(t, 1<<30)
	for i := range 20 {
		require.NoError(t, c.Put(key(i), blob(i, size)))
		paths, _ := files(t, c)
		for _, p := range paths {
			if strings.HasSuffix(filepath.ToSlash(p), key(i)[2:]) { // the higher the number, the longer ago
				then := time.Now().Add(-time.Duration(i+2) * time.Hour)
				require.NoError(t, os.Chtimes(p, then, then))
			}
		}
	}
	_, ok := c.Get(key(19)) // the oldest is used now
	require.True(t, ok)
	small, _, err := diskcache.Open(c.Dir(), limit)
	require.NoError(t, err)
	require.NoError(t, small.Trim())
	_, total := files(t, c)
	require.LessOrEqual(t, total, int64(limit))
	require.Greater(t, total, int64(limit/2), "no more than needed")
	for i, want := range map[int]bool{0: true, 1: true, 19: true, 18: false, 17: false, 12: false} {
		_, ok := small.Get(key(i))
		require.Equal(t, want, ok, i)
	}
}

func TestPutKeepsTheLimit(t *testing.T) {
	const size, limit = 1000, 40_000
	c := open(t, limit)
	worst := int64(0)
	for i := range 300 {
		require.NoError(t, c.Put(key(i), blob(i, size)))
		_, total := files(t, c)
		worst = max(worst, total)
	}
	// Between two looks at the folder one process writes a sixteenth of the limit, and one entry more.
	require.LessOrEqual(t, worst, int64(limit+limit/16+2*size))
	require.Greater(t, worst, int64(limit/2))
	require.NoError(t, c.Put(key(1000), blob(0, limit+1)), "larger than all")
	_, ok := c.Get(key(1000))
	require.False(t, ok)
}

func TestLeftoversOfDeadProcessesGo(t *testing.T) {
	c := open(t, 1<<20)
	old, fresh := filepath.Join(c.Dir(), "tmp-old"), filepath.Join(c.Dir(), "tmp-fresh")
	for _, f := range []string{old, fresh} {
		require.NoError(t, os.WriteFile(f, []byte("half"), 0o600))
	}
	then := time.Now().Add(-2 * time.Hour)
	require.NoError(t, os.Chtimes(old, then, then))
	require.NoError(t, c.Trim())
	require.NoFileExists(t, old)
	require.FileExists(t, fresh)
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for range 2 { // the second time the folder is there already
		c, notice, err := diskcache.Open(filepath.Join(file, "below"), 0)
		require.NoError(t, err)
		require.Contains(t, notice, c.Dir())
		require.Contains(t, notice, "file", "the reason")
		require.True(t, strings.HasPrefix(c.Dir(), temp))
		require.NoError(t, c.Put(key(1), []byte("x")))
		_, ok := c.Get(key(1))
		require.True(t, ok)
	}
	entries, err := os.ReadDir(temp)
	require.NoError(t, err)
	require.Len(t, entries, 1, "one temporary folder serves all processes")
}

func TestConcurrentUse(t *testing.T) {
	const keys, size, limit = 20, 3000, 30_000 // less than all keys together: entries come and go
	c := open(t, limit)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 7))
			for range 200 {
				if i := r.IntN(keys); !use(c, r, i, size) {
					t.Errorf("entry %d has other bytes", i)
				}
			}
		})
	}
	wg.Wait()
}

// use stores or reads one entry and reports whether what was read is right.
func use(c *diskcache.Cache, r *rand.Rand, i, size int) bool {
	if r.IntN(2) == 0 {
		return c.Put(key(i), blob(i, size)) == nil
	}
	got, ok := c.Get(key(i))
	return !ok || bytes.Equal(got, blob(i, size))
}

// child is a process among several on one cache; its exit status is the verdict.
func child(dir string) {
	c, _, err := diskcache.Open(dir, 30_000)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	r := rand.New(rand.NewPCG(uint64(os.Getpid()), 3))
	for range 300 {
		if i := r.IntN(20); !use(c, r, i, 3000) {
			fmt.Println("entry", i)
			os.Exit(1)
		}
	}
}

func TestProcessesShareAFolder(t *testing.T) {
	c := open(t, 30_000)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childVar+"="+c.Dir())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	require.NoError(t, c.Trim())
	_, total := files(t, c)
	require.LessOrEqual(t, total, int64(30_000))
	paths, _ := files(t, c)
	require.NotEmpty(t, paths)
}

func BenchmarkGet(b *testing.B) {
	for _, size := range []int{4 << 10, 256 << 10} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			c := open(b, 0)
			require.NoError(b, c.Put(key(1), blob(1, size)))
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, ok := c.Get(key(1)); !ok {
					b.Fatal("miss")
				}
			}
		})
	}
}

func BenchmarkPut(b *testing.B) {
	c := open(b, 0)
	data := blob(1, 16<<10)
	b.SetBytes(int64(len(data)))
	for i := 0; b.Loop(); i++ {
		if err := c.Put(key(i%1000), data); err != nil {
			b.Fatal(err)
		}
	}
}
