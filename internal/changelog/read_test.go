package changelog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
)

// guarded is a world in which only the role a reads texts.
func guarded(t fatal, users ...string) *world {
	w := newWorld(t, memory.New(), users...)
	w.batch(func(b *batch) { b.publish(len(audiences) + 2) })
	return w
}

// What is cut out of an encoded record leaves the bytes that it would have been
// encoded to without.
func TestCutIsAsEncodedWithout(t *testing.T) {
	app := docs(len(audiences))
	app.Types["doc"].Rights["b"].Unread = []string{"owner", "text"}
	s := core.SightOf(app, &landfall.Actor{Roles: []string{"b"}})
	eyes := newEyes(s)
	names := []string{"owner", "text", "team", "fields", "ownerx", "tex"}
	texts := []string{"", `"owner":`, `{"text":"x"}`, "},{", "\\\"text\\\":1", "ä<&", "fields"}
	rapid.Check(t, func(t *rapid.T) {
		r := &landfall.Record{Type: "doc", ID: "r1", Version: 3, Queue: rapid.SampledFrom(texts).Draw(t, "queue"), Fields: landfall.Fields{}}
		for range rapid.IntRange(0, 6).Draw(t, "fields") {
			var v any = rapid.SampledFrom(texts).Draw(t, "text")
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 1:
				v = []any{v, 1.5, nil}
			case 2:
				v = map[string]any{"fields": map[string]any{"text": v}, "owner": true}
			}
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			r.Fields[rapid.SampledFrom(names).Draw(t, "name")] = b
		}
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(s.Record(r))
		if err != nil {
			t.Fatal(err)
		}
		got, err := eyes.record("doc", raw)
		if err != nil || string(got) != string(want) {
			t.Fatalf("%s\nis cut to %s\n       not %s: %v", raw, got, want, err)
		}
		if same, err := eyes.record("other", raw); err != nil || string(same) != string(raw) {
			t.Fatalf("of another type: %s, %v", same, err)
		}
	})
	if b, err := eyes.record("doc", []byte(`{"fields":{"text":"x"`)); err == nil {
		t.Errorf("half a record is sent as %s", b)
	}
}

// In the middle of a first sync a role is taken away: what comes after it holds
// nothing that it hides, and what came before is asked for anew.
func TestRoleIsLostBetweenPages(t *testing.T) {
	w := guarded(t, "emma")
	w.give("emma", "role:a", true)
	for i := range 6 {
		w.put(put{id: fmt.Sprint("r", i), owner: "emma", team: "x", status: "s0"})
	}
	first := pageOf(t, w, "emma", "", 2)
	if text := textOf(t, first); !first.More || strings.Count(text, "zqtext") != 2 {
		t.Fatalf("%t %s", first.More, text)
	}
	second := pageOf(t, w, "emma", first.Checkpoint, 2)
	w.give("emma", "role:a", false)
	for _, since := range []string{first.Checkpoint, second.Checkpoint} {
		next := pageOf(t, w, "emma", since, 2)
		if !next.Resync || next.Lost || next.Count != 0 || next.Checkpoint == "" || next.Seq != 0 || len(next.Encoded) > 0 || next.Packed != nil {
			t.Fatalf("%+v", next)
		}
	}
	since, n := "", 0
	for {
		p := pageOf(t, w, "emma", since, 2)
		if text := textOf(t, p); strings.Contains(text, "zqtext") || p.Resync {
			t.Fatalf("told %s", text)
		}
		if since, n = p.Checkpoint, n+p.Count; !p.More {
			break
		}
	}
	if n != 6 {
		t.Errorf("%d records", n)
	}
	w.give("emma", "role:a", true)
	if back := pageOf(t, w, "emma", since, 2); !back.Resync {
		t.Errorf("what became visible does not come: %+v", back)
	}
}

// A page that is kept is for those who read the same.
func TestPagesAreKeptByWhatIsHidden(t *testing.T) {
	w := guarded(t, "emma", "mara", "otto")
	for i := range 9 {
		w.put(put{id: fmt.Sprint("r", i), team: "x", status: "s3"})
	}
	for _, u := range []string{"emma", "mara", "otto"} {
		w.give(u, "team:x", true)
	}
	w.batch(func(b *batch) { b.publish(len(audiences)) }) // s3: all
	w.give("emma", "role:a", true)
	lead, others := pageOf(t, w, "emma", "", 4), pageOf(t, w, "mara", "", 4)
	if again := pageOf(t, w, "otto", "", 4); again.Packed == nil || again.Packed != others.Packed {
		t.Error("the same page was made twice")
	}
	if a, b := textOf(t, lead), textOf(t, others); strings.Count(a, "zqtext") != 4 || strings.Contains(b, "zqtext") {
		t.Errorf("a role that reads gets %s\none that doesn't %s", a, b)
	}
}

// Where nothing is hidden a checkpoint is as it always was.
func TestCheckpointTellsWhatWasHidden(t *testing.T) {
	plain := position{epoch: "e", seq: 1, mark: "m", head: 2, seen: "n"}
	hiding := plain
	hiding.sight = "0123456789abcdef"
	a, b := plain.encode(), hiding.encode()
	if a != "AQFlAQFtAAIBbgAA" {
		t.Errorf("old checkpoints are no more: %s", a)
	}
	if p, err := decode(b); err != nil || *p != hiding {
		t.Errorf("%+v, %v", p, err)
	}
	for _, made := range []position{{epoch: "e", sight: "x"}, {epoch: "e"}} {
		token := made.encode()
		if p, err := decode(token); err != nil || p.encode() != token {
			t.Errorf("%+v, %v", p, err)
		}
	}
	if _, err := decode(a + "AA"); err == nil {
		t.Error("an empty mark of what is hidden is read")
	}
}

// At the desk: the label, the record, the list and the history are made of what may
// be read.
func TestDeskReadsWhatMayBeRead(t *testing.T) {
	w := guarded(t, "emma", "mara")
	w.put(put{id: "r1", team: "x", status: "s3"})
	w.put(put{id: "r1", team: "x", status: "s3", owner: "mara"})
	for _, u := range []string{"emma", "mara"} {
		w.give(u, "team:x", true)
	}
	w.give("emma", "role:a", true)
	said := func(user string) string {
		a := landfall.Actor{User: user}
		one, err := w.log.Find(ctx, ws, a, "doc", "r1")
		list, err2 := w.log.Records(ctx, ws, a, Query{Type: "doc"}, store.Page{})
		past, err3 := w.log.History(ctx, ws, a, "doc", "r1")
		if err != nil || err2 != nil || err3 != nil || len(past) != 2 {
			t.Fatal(err, err2, err3, past)
		}
		b, err := json.Marshal([]any{one, list, past})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if n := strings.Count(said("emma"), "zqtext"); n < 3 {
		t.Errorf("a role that reads is told %d times", n)
	}
	if text := said("mara"); strings.Contains(text, "zqtext") || strings.Contains(text, `"text"`) {
		t.Errorf("one that doesn't is told %s", text)
	}
}

func TestHiddenNamesAreThoseOfTheType(t *testing.T) {
	app := docs(len(audiences))
	s := core.SightOf(app, &landfall.Actor{User: "emma"})
	if got := s.Hidden("doc"); !slices.Equal(got, []string{"text"}) || s.Hidden(landfall.IssueType) != nil || s.Hidden("nothing") != nil {
		t.Errorf("hidden: %v", got)
	}
	if core.SightOf(nil, &landfall.Actor{}).Mark() != "" || core.SightOf(docs(0), &landfall.Actor{}).Mark() != "" || len(s.Mark()) != 16 {
		t.Error("marks")
	}
}
