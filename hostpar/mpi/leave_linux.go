package mpi

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// manager is the connection of this process to the launcher of MPICH's family. From version 4.2 on the library takes its
// leave there not in MPI_Finalize but when C's exit runs, which a Go program never does; the launcher would kill all other
// ranks as soon as the first has ended.
type manager struct {
	fd       int
	identity unix.Stat_t
	known    bool
}

// findManager is called before the library is initialized. Another version of the protocol than the first is left alone.
func findManager(env func(string) string) (m manager) {
	fd, err := strconv.Atoi(env("PMI_FD"))
	if err != nil || env("MPIR_CVAR_PMI_VERSION") > "1" {
		return m
	}
	m.fd = fd
	m.known = unix.Fstat(fd, &m.identity) == nil && m.identity.Mode&unix.S_IFMT == unix.S_IFSOCK
	return m
}

// leave says good-bye if the library, which is finalized, has not done so and closed the connection.
func (m manager) leave() {
	var now unix.Stat_t
	if !m.known || unix.Fstat(m.fd, &now) != nil || now.Dev != m.identity.Dev || now.Ino != m.identity.Ino {
		return
	}
	// An error means that nobody listens any more, which is as good.
	_ = unix.SetsockoptTimeval(m.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2})
	if _, err := unix.SendmsgN(m.fd, []byte("cmd=finalize\n"), nil, nil, unix.MSG_NOSIGNAL); err == nil {
		_, _ = unix.Read(m.fd, make([]byte, 128)) // the acknowledgement
	}
}
