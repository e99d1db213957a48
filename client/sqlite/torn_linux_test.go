package sqlite

import (
	"testing"

	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/internal/torn"
)

// What the disk can't keep is not told to be safe, and nobody sees it.
func TestSyncFails(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }() // the test is over
	set := func(v string) func() error {
		return func() error {
			return s.Update(t.Context(), func(tx client.Tx) error { return tx.SetValue("v", []byte(v)) })
		}
	}
	get := func() (v []byte) {
		if err := s.View(t.Context(), func(tx client.Tx) (err error) {
			v, err = tx.Value("v")
			return err
		}); err != nil {
			t.Error(err)
		}
		return v
	}
	if err := torn.WithoutSync(set("lost")); err == nil {
		t.Error("it is told to be safe")
	}
	if v := get(); v != nil {
		t.Errorf("what was not kept is seen: %q", v)
	}
	if err := set("kept")(); err != nil || string(get()) != "kept" {
		t.Errorf("afterwards: %q, %v", get(), err)
	}
}
