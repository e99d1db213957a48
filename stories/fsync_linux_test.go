package stories

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"unsafe"
)

// deaf in the environment makes this program forbid fsync to itself and then
// become the program that its arguments name.
const deaf = "LANDFALL_STORY_WITHOUT_FSYNC"

func init() {
	if os.Getenv(deaf) == "" {
		return
	}
	runtime.LockOSThread() // the filter is this thread's, and stays with the program that it becomes
	err := forbid(syscall.SYS_FSYNC, syscall.SYS_FDATASYNC)
	if err == nil {
		err = syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// forbid makes system calls fail as they do on a disk that is broken.
func forbid(calls ...uint32) error {
	const (
		noNewPrivileges, setFilter, filterMode = 38, 22, 2
		allow, fail                            = 0x7fff0000, 0x00050000 | uint32(syscall.EIO)
		load, equal, answer                    = syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, syscall.BPF_RET | syscall.BPF_K
	)
	program := []syscall.SockFilter{{Code: load, K: 0}} // the number of the call
	for _, n := range calls {
		program = append(program, syscall.SockFilter{Code: equal, K: n, Jf: 1}, syscall.SockFilter{Code: answer, K: fail})
	}
	program = append(program, syscall.SockFilter{Code: answer, K: allow})
	prog := syscall.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivileges, 1, 0, 0, 0, 0); e != 0 {
		return fmt.Errorf("no new privileges: %w", e)
	}
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, setFilter, filterMode, uintptr(unsafe.Pointer(&prog)), 0, 0, 0); e != 0 {
		return fmt.Errorf("filter of system calls: %w", e)
	}
	return nil
}

// The disk takes writes and fails to make them durable. Then nothing is
// acknowledged: written is not stored.
func TestFsyncFails(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	wire := NewWire(w)
	p := w.Pocket("pocket", "emma", wire.URL)
	same(t, "the first sync", p.sync(), true)
	given := wire.given()
	w.Stop()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w.around = func(cmd *exec.Cmd) {
		cmd.Path, cmd.Args = self, append([]string{self}, cmd.Args...)
		cmd.Env = append(cmd.Env, deaf+"=1")
	}
	w.Start()
	v := wire.Watch()
	for range 3 {
		p.work(5)
		same(t, "a sync", p.sync(), false)
		v.unavailable(t)
	}
	same(t, "pushes acknowledged", v.done, 0)
	same(t, "receipts given", wire.given(), given)
	w.Kill()
	contains(t, "the log", w.logs.String(), "disk I/O error")
	w.around = nil
	w.Start()
	p.restored(wire)
}
