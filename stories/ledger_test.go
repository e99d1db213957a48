package stories

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/sqlite"
)

// ledger is what became of the changes that a device made.
type ledger struct{ made, applied, noop, void, issue, pending, lost int }

func (l ledger) String() string {
	return fmt.Sprintf("made %d = applied %d + no-op %d + void %d + issue %d + pending %d + lost %d", l.made, l.applied, l.noop, l.void, l.issue, l.pending, l.lost)
}

// Ledger adds up what became of the changes that the device made: each number
// once, without a gap, and nothing beside them.
func (d *Device) Ledger(made int) ledger {
	d.w.t.Helper()
	l := ledger{made: made}
	numbers := map[string]bool{}
	for _, it := range d.w.Ada().Inbox("--device", d.Replica()) {
		if numbers[it.ID] {
			d.w.t.Errorf("%s is there twice", it.ID)
		}
		numbers[it.ID] = true
		switch {
		case it.Receipt == nil:
			d.w.t.Errorf("%s has no receipt", it.ID)
		case it.Receipt.Result == landfall.Issued:
			l.issue++
		case it.Op == landfall.OpVoid:
			l.void++
		case it.Op == landfall.OpLost:
			l.lost++
		case it.Receipt.Note != "":
			l.noop++
		default:
			l.applied++
		}
	}
	l.pending = d.Indicator().Waiting
	for n := 1; n <= made-l.pending; n++ {
		if k := (landfall.Key{Replica: d.Replica(), Incarnation: 1, N: int64(n)}); !numbers[k.String()] {
			d.w.t.Errorf("change %s of %s is not at the server", k, d.Folder)
		}
	}
	if l.made != l.applied+l.noop+l.void+l.issue+l.pending+l.lost {
		d.w.t.Errorf("%s does not balance: %s", d.Folder, l)
	}
	return l
}

// Replica is the id of the device at the server.
func (d *Device) Replica() string {
	d.w.t.Helper()
	if d.replica != "" {
		return d.replica
	}
	var all list[struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}]
	d.w.Ada().JSON(&all, "device", "list")
	for _, r := range all.Items {
		if r.Name == d.Folder {
			d.replica = r.ID
		}
	}
	if d.replica == "" {
		d.w.t.Fatalf("%s is not in %s", d.Folder, dump(all))
	}
	return d.replica
}

// state is all that a stopped server has stored, of what devices change.
type state struct {
	Head    int64
	Records map[string]*landfall.Record
	Changes map[string][]landfall.Change
	Items   int
}

// State reads the folder of a server that is stopped. Its records are those
// that everybody may see.
func (w *World) State() state {
	w.t.Helper()
	st, err := sqlite.Open(w.t.Context(), filepath.Join(w.path("d"), "landfall.db"), sqlite.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	s := state{Records: map[string]*landfall.Record{}, Changes: map[string][]landfall.Change{}}
	err = st.View(w.t.Context(), s.read)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (s *state) read(r store.Reader) error {
	all, err := r.Workspaces()
	if err != nil {
		return err
	}
	ws := all[0]
	head, err := r.Head(ws)
	if err != nil {
		return err
	}
	s.Head = head.Seq
	feed, err := r.Feed(ws, "all", store.Spot{}, head.Seq, 1<<20)
	if err != nil {
		return err
	}
	for _, e := range feed {
		if s.Records[e.ID], err = r.Record(ws, e.ID); err != nil {
			return err
		}
		if s.Changes[e.ID], err = r.Changes(ws, e.ID, 0); err != nil {
			return err
		}
	}
	items, err := r.Items(ws, store.ItemFilter{}, store.Page{Limit: 1 << 20})
	s.Items = len(items)
	return err
}

// sameState compares all of two states.
func sameState(t *testing.T, what string, got, want state) {
	t.Helper()
	g, err := json.Marshal(got)
	w, err2 := json.Marshal(want)
	if err != nil || err2 != nil || string(g) != string(w) {
		t.Errorf("%s: head %d and %d records, before head %d and %d records (%v %v)", what, got.Head, len(got.Records), want.Head, len(want.Records), err, err2)
	}
}
