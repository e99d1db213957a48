package changelog

import (
	"context"
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
)

// counting counts what pulls ask of a store.
type counting struct {
	store.Store
	calls, rows int
}

func (c *counting) View(ctx context.Context, f func(store.Reader) error) error {
	return c.Store.View(ctx, func(r store.Reader) error { return f(countingReader{r, c}) })
}

type countingReader struct {
	store.Reader
	c *counting
}

func (r countingReader) Feed(ws, key string, after store.Spot, upto int64, limit int) ([]store.Entry, error) {
	e, err := r.Reader.Feed(ws, key, after, upto, limit)
	r.c.calls, r.c.rows = r.c.calls+1, r.c.rows+len(e)
	return e, err
}

func (r countingReader) Record(ws, id string) (*landfall.Record, error) {
	r.c.calls, r.c.rows = r.c.calls+1, r.c.rows+1
	return r.Reader.Record(ws, id)
}

func (r countingReader) Audience(ws, id string) ([]string, error) {
	r.c.calls, r.c.rows = r.c.calls+1, r.c.rows+1
	return r.Reader.Audience(ws, id)
}

func (r countingReader) Changes(ws, id string, after int64) ([]landfall.Change, error) {
	ch, err := r.Reader.Changes(ws, id, after)
	r.c.calls, r.c.rows = r.c.calls+1, r.c.rows+len(ch)
	return ch, err
}

func (r countingReader) Keyed(ws, key, typ, before string, limit int) ([]string, error) {
	ids, err := r.Reader.Keyed(ws, key, typ, before, limit)
	r.c.calls, r.c.rows = r.c.calls+1, r.c.rows+len(ids)
	return ids, err
}

// stocked is a workspace with n records that Emma may see and n that she may
// not, and a device of hers that has all of it.
func stocked(t *testing.T, s store.Store, n int) (*world, string) {
	t.Helper()
	w := newWorld(t, s, "emma")
	w.seen = map[string][]map[string]int64{} // nobody looks on: that would be slow
	w.batch(func(b *batch) {
		for i := range n {
			b.commit(put{id: fmt.Sprintf("r%06d", i), owner: "emma"}, put{id: fmt.Sprintf("s%06d", i), owner: "mara", status: "s2"})
		}
	})
	since := ""
	for {
		r, err := w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, since, 0)
		if err != nil {
			t.Fatal(err)
		}
		if since = r.Checkpoint; !r.More {
			return w, since
		}
	}
}

// TestPullingCostsWhatChanged: the same for much stored as for little.
func TestPullingCostsWhatChanged(t *testing.T) {
	cost := func(n int) (pull, idle, list counting) {
		s := &counting{Store: memory.New()}
		w, since := stocked(t, s, n)
		measure := func(f func() error) counting {
			t.Helper()
			before := *s
			if err := f(); err != nil {
				t.Fatal(err)
			}
			return counting{calls: s.calls - before.calls, rows: s.rows - before.rows}
		}
		idle = measure(func() error {
			_, err := w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, since, 0)
			return err
		})
		w.put(put{id: "r000003", owner: "emma", team: "x"}, put{id: "s000004", owner: "mara"}, put{id: "r000005", owner: "mara"}, put{id: "z", owner: "emma"})
		pull = measure(func() error {
			r, err := w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, since, 0)
			if err == nil && len(r.Changes) != 3 {
				t.Fatalf("%d changes", len(r.Changes))
			}
			return err
		})
		list = measure(func() error {
			_, err := w.log.Records(ctx, ws, landfall.Actor{User: "emma"}, Query{Type: "doc"}, store.Page{Limit: 10})
			return err
		})
		return pull, idle, list
	}
	pull, idle, list := cost(200)
	pull2, idle2, list2 := cost(4000)
	if pull != pull2 || idle != idle2 || list != list2 {
		t.Errorf("with 200 and 4000 stored: a pull costs %+v and %+v, an idle one %+v and %+v, a list %+v and %+v", pull, pull2, idle, idle2, list, list2)
	}
	if idle.rows != 0 || pull.rows > 10 {
		t.Errorf("an idle pull reads %d rows, one of three changes %d", idle.rows, pull.rows)
	}
}
