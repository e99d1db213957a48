package torn

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

// ForbidSync makes every sync of this thread, and of the program that it may
// become, fail as on a disk that is broken. There is no way back.
func ForbidSync() error {
	const (
		noNewPrivileges, setFilter, filterMode = 38, 22, 2
		allow, fail                            = 0x7fff0000, 0x00050000 | uint32(syscall.EIO)
		load, equal, answer                    = syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, syscall.BPF_RET | syscall.BPF_K
	)
	program := []syscall.SockFilter{
		{Code: load, K: 0}, // the number of the call
		{Code: equal, K: syscall.SYS_FSYNC, Jt: 1}, {Code: equal, K: syscall.SYS_FDATASYNC, Jf: 1},
		{Code: answer, K: fail}, {Code: answer, K: allow},
	}
	prog := syscall.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivileges, 1, 0, 0, 0, 0); e != 0 {
		return fmt.Errorf("no new privileges: %w", e)
	}
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, setFilter, filterMode, uintptr(unsafe.Pointer(&prog)), 0, 0, 0); e != 0 {
		return fmt.Errorf("filter of system calls: %w", e)
	}
	return nil
}

// WithoutSync runs f where every sync fails, and returns what it does.
func WithoutSync(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this
		err := ForbidSync()
		if err == nil {
			err = f()
		}
		result <- err
	}()
	return <-result
}
