package stories

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/landfall-sync/landfall/internal/torn"
)

// deaf in the environment makes this program forbid fsync to itself and then
// become the program that its arguments name.
const deaf = "LANDFALL_STORY_WITHOUT_FSYNC"

func init() {
	if os.Getenv(deaf) == "" {
		return
	}
	runtime.LockOSThread() // the filter is this thread's, and stays with the program that it becomes
	err := torn.ForbidSync()
	if err == nil {
		err = syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
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
