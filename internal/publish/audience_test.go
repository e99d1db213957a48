package publish

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// queued is source with a queue.
var queued = strings.Replace(source, "types:\n", "queues:\n  late: {title: Late, members: [worker]}\ntypes:\n", 1)

// keep stores records as they are under the definition of the world.
func (w *world) keep(keys []string, records ...landfall.Record) {
	w.t.Helper()
	err := w.store.Update(w.t.Context(), func(tx store.Writer) error {
		l, err := store.Open(tx, ws, w.clock(), w.mark())
		if err != nil {
			return err
		}
		e := &landfall.Effects{}
		for i := range records {
			r := &records[i]
			r.Version = l.Next()
			audience := keys
			if r.Deleted {
				audience = nil
			}
			e.Writes = append(e.Writes, landfall.Write{Record: r, Audience: audience})
		}
		if err := l.Commit(e); err != nil {
			return err
		}
		return l.Close()
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// rows tell of each record its version, keys, and the places of its entries.
func (w *world) rows() string {
	w.t.Helper()
	var out []string
	err := w.store.View(w.t.Context(), func(r store.Reader) error {
		ids, err := r.RecordIDs(ws, "", 1<<20)
		if err != nil {
			return err
		}
		for _, id := range ids {
			row, err := r.Row(ws, id)
			if err != nil {
				return err
			}
			out = append(out, fmt.Sprint(id, "@", row.Record.Version, " ", row.Keys, " ", row.Places))
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(out, "\n")
}

func task(id, status string) landfall.Record {
	return landfall.Record{Type: "task", ID: id, Status: status, Fields: landfall.Fields{}}
}

// Another audience is that of all records of the type, at the place of the
// publication, and of no others. A dry run counts them and moves none.
func TestAudienceChanges(t *testing.T) {
	w := newWorld(t)
	w.publish(source)
	gone := task("c", "open")
	gone.Deleted = true
	spare := landfall.Record{Type: "spare", ID: "d", Fields: landfall.Fields{}}
	w.keep([]string{"all"}, task("a", "open"), task("b", "done"), gone, spare)
	next := strings.Replace(source, "audience: [all]", "audience: [role:worker, {key: all, statuses: [done]}]", 1)
	before := w.rows()
	dry, err := w.Publish(t.Context(), ws, admin, wire.Publish{Source: next, DryRun: true})
	if err != nil || !strings.Contains(text(dry.Problems), `app.yaml:4 warning=true the audience of "task" changes: 2 of its records enter or leave devices`) || len(dry.Problems) != 1 {
		t.Errorf("%+v %v", dry, err)
	}
	anybody, err := w.Check(t.Context(), ws, wire.Publish{Source: next})
	if err != nil || len(anybody.Problems) != 0 || w.rows() != before {
		t.Errorf("%+v %v\n%s", anybody, err, w.rows())
	}
	if out := w.publish(next); out.Version != 2 || len(out.Problems) != 1 {
		t.Errorf("%+v", out)
	}
	const want = `a@2 [role:worker] map[all:3 role:worker:3]
b@2 [all role:worker] map[role:worker:3]
c@2 [] map[]
d@2 [all] map[]`
	if got := w.rows(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if h := w.head(); h.Seq != 3 || h.Definition != 2 {
		t.Errorf("%+v", h)
	}
	if out := w.publish(next + "# a remark\n"); out.Version != 3 || len(out.Problems) != 0 || w.rows() != want {
		t.Errorf("%+v\n%s", out, w.rows())
	}
}

// Records of a type that is gone stay where they were, until it is back.
func TestAudienceOfATypeThatIsBack(t *testing.T) {
	w := newWorld(t)
	w.publish(source)
	w.keep([]string{"all"}, landfall.Record{Type: "spare", ID: "d", Fields: landfall.Fields{}})
	without, _, _ := strings.Cut(source, "  spare:")
	w.publish(without)
	if got, want := w.rows(), "d@2 [all] map[]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	at := strings.LastIndex(source, "audience: [all]")
	w.publish(source[:at] + "audience: [role:worker]" + source[at+len("audience: [all]"):])
	if got, want := w.rows(), "d@2 [role:worker] map[all:4 role:worker:4]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// More records than are read at a time are all moved.
func TestAudienceOfManyRecords(t *testing.T) {
	w := newWorld(t)
	w.publish(source)
	var all []landfall.Record
	for i := range 2*chunk + 1 {
		all = append(all, task(fmt.Sprintf("r%05d", i), "open"))
	}
	w.keep([]string{"all"}, all...)
	w.publish(strings.Replace(source, "audience: [all]", "audience: [role:worker]", 1))
	err := w.store.View(t.Context(), func(r store.Reader) error {
		under, err := r.Keyed(ws, "role:worker", "task", "", len(all)+1)
		left, err2 := r.Keyed(ws, "all", "task", "", 1)
		if len(under) != len(all) || len(left) != 0 {
			t.Errorf("%d are under the new key, %v under the old one", len(under), left)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Issues follow the members of their queue, and one that nobody declares any
// more is the administrators'.
func TestMembersChange(t *testing.T) {
	w := newWorld(t)
	w.publish(queued)
	at := w.head().Seq + 1
	err := w.store.Update(t.Context(), func(tx store.Writer) error {
		l, err := store.Open(tx, ws, w.clock(), w.mark())
		if err != nil {
			return err
		}
		e := &landfall.Effects{}
		for n, queue := range []string{"late", landfall.FallbackQueue, "late"} {
			i := landfall.Issue{ID: fmt.Sprint("i", n), Number: int64(n + 1), Version: at, State: landfall.IssueOpen, Queue: queue, Author: "emma"}
			rec, err := i.AsRecord()
			if err != nil {
				return err
			}
			keys := []string{"role:worker", "user:emma"}
			if queue != "late" {
				keys[0] = "role:administrator"
			}
			e.Writes = append(e.Writes, landfall.Write{Record: rec, Audience: keys})
			if err := tx.PutIssue(ws, &store.IssueRow{Issue: i}); err != nil {
				return err
			}
		}
		if err := l.Commit(e); err != nil {
			return err
		}
		return l.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	out := w.publish(source)
	if got := text(out.Problems); !strings.Contains(got, `the members of the queue "late" change: 2 of its sync issues enter or leave devices`) || len(out.Problems) != 1 {
		t.Errorf("got %s", got)
	}
	const want = `i0@2 [role:administrator user:emma] map[role:administrator:3 role:worker:3]
i1@2 [role:administrator user:emma] map[]
i2@2 [role:administrator user:emma] map[role:administrator:3 role:worker:3]`
	if got := w.rows(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
