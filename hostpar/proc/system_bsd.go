//go:build unix && !linux

package proc

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// executable is the file of the running binary.
func executable() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func awaitEnd(int) {} // the group is killed by Kill and by the child itself

func setName(string) {} // the command line shows it

func residentMemory(int) int64 { return 0 }

func localAddress() string { return "unix:" + filepath.Join(os.TempDir(), "tandem-"+randomText()) }
