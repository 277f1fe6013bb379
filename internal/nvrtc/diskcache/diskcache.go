// Package diskcache keeps blobs on disk under keys that are hashes of everything the blob depends on.
//
// Any number of goroutines and processes may use one folder at the same time. An entry appears at once and whole, by a
// rename; a damaged one is a miss and is removed. The folder stays near its size limit: the entries that were unused for
// longest go first. Nothing here is ever printed: what a user should know is returned as a notice.
package diskcache

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultBytes is the size limit of a cache for which none was given.
const DefaultBytes = 256 << 20

const (
	// magic begins each entry; it changes with the format.
	magic      = "tandem-cache-1\n"
	headerSize = len(magic) + sha256.Size
	tempPrefix = "tmp-"
	lockName   = "lock"

	// touchAfter is how old the time of an entry's last use may grow before a hit renews it. It saves a write per hit.
	touchAfter = time.Hour
	// tempLife is how long an unfinished entry may lie around before it counts as left over by a process that died.
	tempLife = time.Hour
	// trimShare is the share of the limit that one process writes between two looks at the size of the whole folder.
	trimShare = 16
)

// Cache is a folder of entries.
type Cache struct {
	dir     string
	limit   int64
	written atomic.Int64 // bytes since the last trim by this process
}

// DefaultDir returns the folder for this user, below the platform's folder for caches. It fails if there is none, as
// without a home.
func DefaultDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the folder for caches: %w", err)
	}
	return filepath.Join(base, "tandem", "compiled"), nil
}

// Open opens the cache in dir, which it makes if needed; empty means DefaultDir. limit bounds the size in bytes, 0 means
// DefaultBytes. If the folder cannot be written, the cache is in a temporary folder and notice says so.
func Open(dir string, limit int64) (c *Cache, notice string, err error) {
	if limit <= 0 {
		limit = DefaultBytes
	}
	if dir == "" {
		dir, err = DefaultDir()
	}
	if err == nil {
		err = makeWritable(dir)
	}
	if err == nil {
		return &Cache{dir: dir, limit: limit}, "", nil
	}
	temp, tempErr := temporaryDir()
	if tempErr != nil {
		return nil, "", errors.Join(err, tempErr)
	}
	return &Cache{dir: temp, limit: limit}, fmt.Sprintf("compiled code is cached in %s, since %v", temp, err), nil
}

// makeWritable makes dir and tries whether files can be made in it.
func makeWritable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, tempPrefix)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// temporaryDir returns this user's cache below the folder for temporary files, or a fresh folder if that one is not
// safely ours: whoever can write into a cache decides which code runs.
func temporaryDir() (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("tandem-compiled-%d", os.Getuid()))
	if err := os.Mkdir(dir, 0o700); err == nil || errors.Is(err, fs.ErrExist) {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() && isPrivate(info) && makeWritable(dir) == nil {
			return dir, nil
		}
	}
	dir, err := os.MkdirTemp("", "tandem-compiled-")
	if err != nil {
		return "", fmt.Errorf("make a temporary folder: %w", err)
	}
	return dir, nil
}

// Dir returns the folder.
func (c *Cache) Dir() string { return c.dir }

// path returns the file of an entry. Entries are spread over 256 folders by the start of their keys.
func (c *Cache) path(key string) (string, bool) {
	if len(key) < 3 || strings.Trim(key, "0123456789abcdef") != "" {
		return "", false
	}
	return filepath.Join(c.dir, key[:2], key[2:]), true
}

// Get returns the blob stored under key, a hash in lower-case hexadecimal digits. The caller owns it.
func (c *Cache) Get(key string) ([]byte, bool) {
	path, ok := c.path(key)
	if !ok {
		return nil, false
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, false
	}
	blob, ok := open(data)
	if !ok {
		_ = os.Remove(path) // if it cannot be removed, it is a miss again
		return nil, false
	}
	if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > touchAfter {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // the order of eviction is all that suffers
	}
	return blob, true
}

// seal puts a blob into the form that is stored.
func seal(blob []byte) []byte {
	sum := sha256.Sum256(blob)
	return slices.Concat([]byte(magic), sum[:], blob)
}

// open is the inverse of seal; it reports false for damaged data.
func open(data []byte) ([]byte, bool) {
	if len(data) < headerSize || !bytes.HasPrefix(data, []byte(magic)) {
		return nil, false
	}
	blob := data[headerSize:]
	if sum := sha256.Sum256(blob); !bytes.Equal(sum[:], data[len(magic):headerSize]) {
		return nil, false
	}
	return blob, true
}

// Put stores a blob under key and replaces what was there. A blob larger than the whole limit is not stored.
// The size of the folder is looked at now and then: after 1/16 of the limit was written, and for one key in 16, so that
// it is also done by processes that each store a single entry.
func (c *Cache) Put(key string, blob []byte) error {
	path, ok := c.path(key)
	if !ok {
		return fmt.Errorf("cache entry %q: the key is not a hash", key)
	}
	size := int64(headerSize + len(blob))
	if size > c.limit {
		return nil
	}
	if err := c.write(path, seal(blob)); err != nil {
		return fmt.Errorf("store cache entry %s: %w", key, err)
	}
	if c.written.Add(size) > c.limit/trimShare || key[0] == '0' {
		c.written.Store(0)
		return c.Trim()
	}
	return nil
}

// write makes the file appear with its whole contents.
func (c *Cache) write(path string, data []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(c.dir, tempPrefix)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // Trim removes it later otherwise
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

type entry struct {
	path string
	size int64
	used time.Time
}

// Trim removes the entries that were unused for longest until the rest is below 7/8 of the limit, if the limit is
// exceeded, and files left over by processes that died. If another process is at it, Trim leaves it the work.
func (c *Cache) Trim() error {
	unlock, ok, err := tryLock(filepath.Join(c.dir, lockName))
	if err != nil {
		return fmt.Errorf("lock the cache %s: %w", c.dir, err)
	}
	if !ok {
		return nil
	}
	defer unlock()
	entries, total := c.list()
	if total <= c.limit {
		return nil
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path))
	})
	for _, e := range entries {
		if total <= c.limit/8*7 {
			break
		}
		if err := os.Remove(e.path); err == nil || errors.Is(err, fs.ErrNotExist) {
			total -= e.size
		}
	}
	return nil
}

// list returns all entries and the sum of their sizes, and removes old temporary files on the way.
func (c *Cache) list() (entries []entry, total int64) {
	// Files that vanish while we walk are another process's business, and what cannot be read is not counted.
	_ = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		switch {
		case strings.HasPrefix(d.Name(), tempPrefix):
			if time.Since(info.ModTime()) > tempLife {
				_ = os.Remove(path)
			}
		case filepath.Dir(path) != c.dir: // the lock lies in the folder itself
			entries = append(entries, entry{path, info.Size(), info.ModTime()})
			total += info.Size()
		}
		return nil
	})
	return entries, total
}
