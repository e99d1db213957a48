package changelog

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

func pageOf(t *testing.T, w *world, user, since string, limit int) *wire.PullPage {
	t.Helper()
	p, err := w.log.Page(ctx, ws, "", landfall.Actor{User: user, Roles: w.roles[user]}, since, limit)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func textOf(t *testing.T, p *wire.PullPage) string {
	t.Helper()
	if p.Packed == nil {
		return string(p.Encoded)
	}
	b, err := p.Packed.Text()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A page that is kept is given out to who would get the same, and made anew as
// soon as something on it has changed.
func TestPagesAreKept(t *testing.T) {
	w := newWorld(t, memory.New(), "emma", "mara", "otto")
	w.give("emma", "role:a", true)
	w.give("mara", "role:a", true)
	for i := range 9 {
		w.put(put{id: fmt.Sprint("r", i), status: "s1"})
	}
	first := pageOf(t, w, "emma", "", 4)
	if again := pageOf(t, w, "mara", "", 4); again.Packed == nil || again.Packed != first.Packed || again.Count != 4 {
		t.Error("the same page was made twice")
	}
	if other := pageOf(t, w, "otto", "", 4); other.Count != 0 {
		t.Errorf("somebody else got %s", textOf(t, other))
	}
	w.put(put{id: "r8", status: "s1"}) // which is on another page
	if same := pageOf(t, w, "mara", "", 4); same.Packed != first.Packed {
		t.Error("a page on which nothing changed was made anew")
	}
	w.put(put{id: "r1", owner: "otto"}) // is not theirs any more
	changed := pageOf(t, w, "mara", "", 4)
	if text := textOf(t, changed); changed.Packed == first.Packed || changed.Count != 4 || strings.Contains(text, `"r1"`) || !strings.Contains(text, `"r4"`) {
		t.Errorf("after a change: %s", text)
	}
}

// A page that is kept is made anew, too, when what it left out belongs on it by now.
func TestKeptPageLeavesOutWhatCameBefore(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "m", owner: "emma"}, put{id: "n", owner: "emma"}, put{id: "r", team: "x", status: "s3"}) // of everybody, too
	phone, tablet := w.device("emma", "phone"), w.device("emma", "tablet")
	got := []string{phone.page(1), tablet.page(1), phone.page(2)}
	w.give("emma", "team:x", true)
	w.put(put{id: "o", owner: "emma"}, put{id: "p", owner: "emma"}, put{id: "q", owner: "emma"})
	got = append(got, phone.page(2))
	w.batch(func(b *batch) { b.publish(1) }) // of team x alone
	got = append(got, tablet.page(1), tablet.page(2))
	if want := []string{"m@2 …", "m@2 …", "n@3 r@4", "o@6 p@7 …", "n@3 …", "r@4 o@6 …"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// Many ask for the same page at once: it is made once.
func TestPageIsMadeOnce(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	for i := range 9 {
		w.put(put{id: fmt.Sprint("r", i), owner: "emma"})
	}
	got := make([]*wire.Packed, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = pageOf(t, w, "emma", "", 4).Packed })
	}
	wg.Wait()
	for _, p := range got {
		if p == nil || p != got[0] {
			t.Fatal("made more than once")
		}
	}
}

// A page ends when it has enough bytes, whatever the limit.
func TestPageOfBytes(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	for i := range 5 {
		w.put(put{id: fmt.Sprint("r", i), owner: "emma"})
	}
	w.log.bytes = 1
	d := w.device("emma", "phone")
	for i := range 5 {
		if got, want := d.page(9), fmt.Sprintf("r%d@", i); !strings.HasPrefix(got, want) || strings.Count(got, "@") != 1 {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
