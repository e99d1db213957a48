package store_test

import (
	"testing"

	"github.com/landfall-sync/landfall/internal/store"
)

// What devices need not keep: without backups all that is committed; with them
// what is before the last place of the newest one, since what had no effect is
// answered at that place whether it came before the backup or after it.
func TestKept(t *testing.T) {
	for name, c := range map[string]struct {
		head store.Head
		want int64
	}{
		"no backups":              {store.Head{Seq: 9}, 9},
		"a backup":                {store.Head{Seq: 9, Backups: true, Covered: 7}, 6},
		"nothing since":           {store.Head{Seq: 7, Backups: true, Covered: 7}, 6},
		"a backup of what is new": {store.Head{Backups: true}, -1},
	} {
		if got := c.head.Kept(); got != c.want {
			t.Errorf("%s: devices keep what is after %d, not %d", name, got, c.want)
		}
	}
}
