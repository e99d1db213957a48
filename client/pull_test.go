package client_test

import (
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

// page is a reply that brings records; of those with a minus, that they are gone.
func page(checkpoint string, more bool, records ...string) *wire.PullReply {
	r := &wire.PullReply{Checkpoint: checkpoint, Seq: 10, Definition: 1, More: more}
	for _, id := range records {
		p := wire.Pulled{Seq: 10, Type: "expense", ID: strings.TrimPrefix(id, "-"), Gone: strings.HasPrefix(id, "-")}
		if !p.Gone {
			p.Record = &landfall.Record{Type: "expense", ID: id, Version: 10, Status: "draft", Fields: landfall.Fields{"purpose": landfall.Value(`"` + id + `"`)}}
		}
		r.Changes = append(r.Changes, p)
	}
	return r
}

// pulls are the replies in turn, and then nothing new.
func pulls(replies ...*wire.PullReply) func(string) (*wire.PullReply, error) {
	return func(since string) (*wire.PullReply, error) {
		if len(replies) == 0 {
			return &wire.PullReply{Checkpoint: since, Seq: 10, Definition: 1}, nil
		}
		r := replies[0]
		replies = replies[1:]
		return r, nil
	}
}

// has lists what the storage keeps of records, and the marks of a resync.
func has(t *testing.T, s client.Storage, ids ...string) string {
	t.Helper()
	var out []string
	if err := s.View(t.Context(), func(tx client.Tx) error {
		for _, id := range ids {
			r, err := tx.Record(id)
			if err != nil {
				return err
			}
			if r != nil {
				out = append(out, id)
			}
			mark, err := tx.Value("seen:" + id)
			if err != nil {
				return err
			}
			if mark != nil {
				out = append(out, "mark of "+id)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, ", ")
}

// A resync that another one breaks off says nothing of what may be seen: what
// the second one does not bring leaves the device, and no mark stays.
func TestResyncBrokenOff(t *testing.T) {
	resync := &wire.PullReply{Definition: 1, Resync: true}
	for name, c := range map[string]struct {
		second []*wire.PullReply
		want   string
	}{
		"in one page":        {[]*wire.PullReply{page("c", false, "kept")}, "kept"},
		"in several":         {[]*wire.PullReply{page("c", true, "new"), page("d", true), page("e", false, "kept")}, "kept, new"},
		"all of it":          {[]*wire.PullReply{page("c", false, "hidden", "kept")}, "hidden, kept"},
		"nothing":            {[]*wire.PullReply{page("c", false)}, ""},
		"broken off, too":    {[]*wire.PullReply{page("c", true, "kept"), resync, page("d", false, "new")}, "new"},
		"gone while it runs": {[]*wire.PullReply{page("c", true, "hidden", "kept"), page("d", false, "-hidden")}, "kept"},
	} {
		t.Run(name, func(t *testing.T) {
			f, s := &fake{}, memory.New()
			device := clientOn(t, f, s)
			f.pull = pulls(append([]*wire.PullReply{page("a", false, "hidden", "kept"), resync, page("b", true, "hidden"), resync}, c.second...)...)
			for range 2 {
				sync(t, device)
			}
			if got := has(t, s, "hidden", "kept", "new"); got != c.want {
				t.Errorf("the device keeps %q, want %q", got, c.want)
			}
		})
	}
}

// While a resync runs, everything that was there is still shown.
func TestResyncHidesNothingMeanwhile(t *testing.T) {
	f, s := &fake{}, memory.New()
	c := clientOn(t, f, s)
	f.pull = pulls(page("a", false, "one", "two"), &wire.PullReply{Definition: 1, Resync: true}, page("b", true, "two"))
	sync(t, c)
	for range 2 {
		if _, err := c.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := has(t, s, "one", "two"); got != "one, two, mark of two" {
		t.Errorf("the device shows %q", got)
	}
}

// A new cut that holds nothing is whole as well: what was shown leaves the device.
func TestEmptyCut(t *testing.T) {
	f, s := &fake{}, memory.New()
	c := clientOn(t, f, s)
	f.pull = pulls(page("a", false, "one"), &wire.PullReply{Definition: 1, Resync: true, Checkpoint: "0"}, page("0", false))
	for range 3 {
		if _, err := c.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := has(t, s, "one"); got != "" {
		t.Errorf("the device shows %q", got)
	}
}
