package changelog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
)

var ctx = context.Background()

func expect(t *testing.T, err error, code landfall.Code, says ...string) {
	t.Helper()
	var e *landfall.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	for _, s := range says {
		if !strings.Contains(e.Error(), s) {
			t.Fatalf("%q does not say %q", e.Error(), s)
		}
	}
}

func (w *world) put(puts ...put) {
	w.t.Helper()
	w.batch(func(b *batch) {
		for _, p := range puts {
			b.commit(p)
		}
	})
}

func (w *world) give(user, key string, held bool) {
	w.t.Helper()
	w.batch(func(b *batch) { b.hold(user, key, held) })
}

// page pulls once and says what came: ids, with a minus for gone.
func (d *device) page(limit int) string {
	d.w.t.Helper()
	reply, err := d.w.log.Pull(ctx, ws, d.name, landfall.Actor{User: d.user}, d.since, limit)
	if err != nil {
		d.w.t.Fatalf("pull: %v", err)
	}
	d.since = reply.Checkpoint
	said := []string{}
	for _, c := range reply.Changes {
		if c.Gone {
			said = append(said, "-"+c.ID)
			continue
		}
		said = append(said, fmt.Sprintf("%s@%d", c.ID, c.Record.Version))
	}
	if reply.More {
		said = append(said, "…")
	}
	return strings.Join(said, " ")
}

func TestFirstSyncCutInTheMiddle(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "a", owner: "emma"}, put{id: "b", owner: "mara"}, put{id: "c", owner: "emma"}, put{id: "d", status: "s3"})
	d := w.device("emma", "phone")
	got := []string{d.page(1)}
	w.put(put{id: "a", owner: "mara"}, put{id: "c", owner: "mara"}, put{id: "e", owner: "emma"})
	got = append(got, d.page(2), d.page(2), d.page(2))
	if want := []string{"a@2 …", "d@5 -a …", "-c e@8", ""}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestOneVerdictLargerThanAPage(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.batch(func(b *batch) {
		b.commit(put{id: "a", owner: "emma"}, put{id: "b", owner: "emma", status: "s3"}, put{id: "c", status: "s3"}, put{id: "d", owner: "emma"})
	})
	d := w.device("emma", "phone")
	got := []string{d.page(3), d.page(3), d.page(3)}
	if want := []string{"a@2 b@2 c@2 …", "d@2", ""}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestGrantEntersAtItsPlace(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "a", team: "x"}, put{id: "b", team: "x"}, put{id: "c", team: "x", owner: "emma"})
	d := w.device("emma", "phone")
	got := []string{d.page(9)}
	w.put(put{id: "m", owner: "emma"})
	w.give("emma", "team:x", true)
	w.put(put{id: "n", owner: "emma"}, put{id: "b", team: "x", status: "s2"})
	got = append(got, d.page(2), d.page(2), d.page(2))
	if want := []string{"c@4", "m@5 a@2 …", "n@7 b@8", ""}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestGrantIsResumable(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "a", team: "x"}, put{id: "b", team: "x"}, put{id: "c", team: "x"})
	d := w.device("emma", "phone")
	got := []string{d.page(9)}
	w.give("emma", "team:x", true)
	got = append(got, d.page(1))
	w.put(put{id: "b", team: "x"})
	got = append(got, d.page(1), d.page(1))
	if want := []string{"", "a@2 …", "c@4 …", "b@6"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// A grant does not bring what has a place of its own under another key, unless that
// place is a later one: by then the other key may be the record's no more.
func TestGrantBringsWhatOnlyADefinitionMovedOn(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "m", owner: "emma"}, put{id: "r", team: "x", status: "s3"}) // of everybody, too
	d := w.device("emma", "phone")
	got := []string{d.page(1)}
	w.give("emma", "team:x", true)
	w.batch(func(b *batch) { b.publish(1) }) // of team x alone
	w.put(put{id: "n", owner: "emma"})
	w.batch(func(b *batch) { b.publish(0) })
	got = append(got, d.page(1))
	w.batch(func(b *batch) { b.publish(1) })
	got = append(got, d.page(1), d.page(1))
	if want := []string{"m@2 …", "r@3 …", "n@6", ""}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestLossLeaves(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.give("emma", "team:x", true)
	w.put(put{id: "a", team: "x"}, put{id: "b", team: "x", owner: "emma"}, put{id: "c", team: "x"}, put{id: "old", team: "y"})
	d := w.device("emma", "phone")
	got := []string{d.page(9)}
	w.give("emma", "team:x", false)
	w.put(put{id: "c", team: "x", status: "s1"}) // changed after the loss: was held
	w.put(put{id: "new", team: "x"})             // made after the loss: never held
	w.put(put{id: "old", team: "x"})             // came under the key after the loss: never held
	got = append(got, d.page(1), d.page(1), d.page(1))
	if want := []string{"a@3 b@4 c@5", "-a …", "-c", ""}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestLossWhoseRecordsCanNotBeToldStartsAgain(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.give("emma", "team:x", true)
	w.put(put{id: "a", team: "x"})
	d := w.device("emma", "phone")
	d.page(9)
	w.give("emma", "team:x", false)
	w.batch(func(b *batch) { b.publish(0) })
	w.put(put{id: "a", team: "x", status: "s1"})
	reply, err := w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, d.since, 9)
	if err != nil || !reply.Resync || reply.Lost || len(reply.Changes) != 0 || reply.Checkpoint == "" || reply.Seq != 0 {
		t.Fatalf("%+v, %v", reply, err)
	}
}

// What the current definition can tell is told: a was under the key until the
// loss, b came under it after the loss, and was under no key before.
func TestLossAfterAPublication(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.give("emma", "team:x", true)
	w.put(put{id: "a", team: "x", status: "s1"})
	d := w.device("emma", "phone")
	got := []string{d.page(9)}
	w.batch(func(b *batch) { b.publish(1) })
	w.put(put{id: "b", status: "s1"})
	w.give("emma", "team:x", false)
	w.put(put{id: "a", team: "x", status: "s3"}, put{id: "b", team: "x", status: "s3"})
	got = append(got, d.page(9), d.page(9))
	if want := []string{"a@3", "-a", ""}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// A publication brings records and takes them, in pages, at its own place. What
// is seen through another key stays, and none of them has another version.
func TestPublicationMovesRecords(t *testing.T) {
	w := newWorld(t, memory.New(), "emma", "mara")
	w.give("emma", "role:b", true)
	w.put(put{id: "comes"}, put{id: "goes", status: "s2"}, put{id: "kept", owner: "emma", status: "s1"}, put{id: "swaps", status: "s3"})
	d, other := w.device("emma", "phone"), w.device("mara", "laptop")
	got := []string{d.page(9), other.page(9)}
	w.batch(func(b *batch) { b.publish(2) })
	got = append(got, d.page(1), d.page(1), d.page(1), d.page(1), other.page(9))
	if want := []string{"goes@4 kept@5 swaps@6", "swaps@6", "comes@3 …", "-goes …", "swaps@6", "", "comes@3 -swaps"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	if got, want := w.device("emma", "tablet").page(9), "kept@5 comes@3 swaps@6"; got != want {
		t.Fatalf("a first sync got %q, want %q", got, want)
	}
}

func TestGrantedAndLostBetweenTwoPulls(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "a", team: "x"})
	d := w.device("emma", "phone")
	got := []string{d.page(9)}
	w.give("emma", "team:x", true)
	w.put(put{id: "b", team: "x"})
	w.give("emma", "team:x", false)
	got = append(got, d.page(9))
	if want := []string{"", ""}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestLostAndGrantedAgain(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.give("emma", "team:x", true)
	w.put(put{id: "a", team: "x"}, put{id: "b", team: "x"})
	d := w.device("emma", "phone")
	got := []string{d.page(9)}
	w.give("emma", "team:x", false)
	w.put(put{id: "b", team: "y"})
	w.give("emma", "team:x", true)
	got = append(got, d.page(9), d.page(9))
	if want := []string{"a@3 b@4", "-a -b a@3", ""}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestLosingOneOfTwoKeys(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.give("emma", "team:x", true)
	w.give("emma", "role:b", true)
	w.put(put{id: "a", team: "x", status: "s2"})
	d := w.device("emma", "phone")
	got := []string{d.page(9)}
	w.give("emma", "team:x", false)
	got = append(got, d.page(9))
	w.give("emma", "role:b", false)
	got = append(got, d.page(9))
	if want := []string{"a@4", "", "-a"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestDeletedRecordsAreGone(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "a", owner: "emma"}, put{id: "b", owner: "mara"})
	d := w.device("emma", "phone")
	got := []string{d.page(9)}
	w.put(put{id: "a", owner: "emma", deleted: true}, put{id: "b", owner: "mara", deleted: true})
	got = append(got, d.page(9))
	if want := []string{"a@2", "-a"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestPulledRecords(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "canary", owner: "mara"}, put{id: "a", owner: "emma", status: "s1"})
	reply, err := w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(reply)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "canary") || strings.Contains(string(b), "edits") || strings.Contains(string(b), "mara") {
		t.Errorf("too much: %s", b)
	}
	if len(reply.Changes) != 1 || reply.Changes[0].Record.Status != "s1" || string(reply.Changes[0].Record.Fields["owner"]) != `"emma"` {
		t.Errorf("changes: %s", b)
	}
	if reply.Seq != 3 || reply.KeptThrough != 3 || reply.Definition != 1 || !reply.Clock.Equal(w.now) || reply.More {
		t.Errorf("reply: %+v", reply)
	}
}

func TestWhoReceivesNothing(t *testing.T) {
	w := newWorld(t, memory.New(), "emma", "mara")
	w.put(put{id: "a", owner: "emma"})
	w.update(func(tx store.Writer) error {
		if err := tx.PutReplica(ws, &store.Replica{ID: "blocked", User: "emma", Blocked: true}); err != nil {
			return err
		}
		return tx.PutReplica(ws, &store.Replica{ID: "hers", User: "mara"})
	})
	_, err := w.log.Pull(ctx, ws, "blocked", landfall.Actor{User: "emma"}, "", 9)
	expect(t, err, landfall.CodeForbidden, "blocked")
	_, err = w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma", Blocked: true}, "", 9)
	expect(t, err, landfall.CodeForbidden, "blocked")
	_, err = w.log.Pull(ctx, ws, "hers", landfall.Actor{User: "emma"}, "", 9)
	expect(t, err, landfall.CodeForbidden)
	w.update(func(tx store.Writer) error { return tx.PutUser(ws, &store.User{Name: "emma", Disabled: true}) })
	_, err = w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, "", 9)
	expect(t, err, landfall.CodeForbidden, "disabled")
	_, err = w.log.Pull(ctx, "elsewhere", "phone", landfall.Actor{User: "mara"}, "", 9)
	expect(t, err, landfall.CodeNotFound)
}

func TestRightsAreThoseOfTheStateThatIsRead(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "a", team: "x"})
	stale := landfall.Actor{User: "emma", Teams: []string{"x"}}
	reply, err := w.log.Pull(ctx, ws, "phone", stale, "", 9)
	if err != nil || len(reply.Changes) != 0 {
		t.Fatalf("%+v, %v", reply, err)
	}
}

func TestCheckpointsOfAnotherHistory(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "a", owner: "emma"}, put{id: "b", owner: "emma"})
	d := w.device("emma", "phone")
	d.page(1)
	good, err := parse(d.since)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*position){
		"mark":      func(p *position) { p.mark = "other" },
		"seen":      func(p *position) { p.seen = "other" },
		"ahead":     func(p *position) { p.head = 99 },
		"of no use": func(p *position) { p.seq, p.mark, p.head, p.seen = 50, "m1", 60, "m1" },
	} {
		p := *good
		change(&p)
		reply, err := w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, p.encode(), 9)
		if err != nil || !reply.Resync || !reply.Lost || len(reply.Changes) != 0 || reply.Changes == nil || reply.Checkpoint != "" || reply.More {
			t.Errorf("%s: %+v, %v", name, reply, err)
		}
	}
	_, err = w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, "no checkpoint!", 9)
	expect(t, err, landfall.CodeInvalid, "checkpoint")
	_, err = w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, "", -1)
	expect(t, err, landfall.CodeInvalid)
	if got := d.page(9); got != "b@3" {
		t.Errorf("the good one goes on with %q", got)
	}
}

func TestOutcomesComeWithTheirPage(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "a", owner: "emma"})
	w.batch(func(b *batch) { b.settle("phone", 3); b.settle("tablet", 1) })
	w.put(put{id: "b", owner: "emma"})
	w.batch(func(b *batch) { b.settle("phone", 1) })
	said := []string{}
	since := ""
	for {
		r, err := w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, since, 1)
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, fmt.Sprintf("%d+%d to %d", len(r.Changes), len(r.Outcomes), r.Seq))
		since = r.Checkpoint
		if !r.More {
			break
		}
	}
	if want := []string{"1+3 to 3", "1+1 to 6"}; !slices.Equal(said, want) {
		t.Fatalf("got %q, want %q", said, want)
	}
}

func TestSeen(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.update(func(tx store.Writer) error { return tx.PutReplica(ws, &store.Replica{ID: "phone", User: "emma"}) })
	get := func() *store.Replica {
		t.Helper()
		var d *store.Replica
		if err := w.store.View(ctx, func(r store.Reader) (err error) { d, err = r.Replica(ws, "phone"); return err }); err != nil {
			t.Fatal(err)
		}
		return d
	}
	seen := func(seq int64, after time.Duration) *store.Replica {
		t.Helper()
		w.now = w.now.Add(after)
		if err := w.log.heard(ctx, ws, "phone", contact{seq: seq}); err != nil {
			t.Fatal(err)
		}
		return get()
	}
	first := seen(5, 0)
	if first.Checkpoint != 5 || !first.LastPull.Equal(w.now) || !first.LastContact.Equal(w.now) {
		t.Fatalf("first contact: %+v", first)
	}
	if d := seen(5, time.Second); !d.LastPull.Equal(first.LastPull) {
		t.Fatalf("an idle poll was written: %+v", d)
	}
	if d := seen(6, time.Second); d.Checkpoint != 6 || !d.LastPull.Equal(w.now) {
		t.Fatalf("progress: %+v", d)
	}
	if d := seen(3, contactEvery); d.Checkpoint != 6 || !d.LastPull.Equal(w.now) {
		t.Fatalf("after a while: %+v", d)
	}
	if err := w.log.heard(ctx, ws, "unknown", contact{seq: 1}); err != nil {
		t.Fatal(err)
	}
}

// TestIssueMovedFromALostQueue loses the role of a queue's members: issues that
// were handed on since leave, issues that came since say nothing.
func TestIssueMovedFromALostQueue(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	issue := func(id, queue, before string) {
		t.Helper()
		w.batch(func(b *batch) {
			i := landfall.Issue{ID: id, State: landfall.IssueOpen, Queue: queue, Author: "mara", Version: b.ledger.Next()}
			r, err := i.AsRecord()
			if err != nil {
				t.Fatal(err)
			}
			c := landfall.Change{Type: r.Type, ID: id, Action: landfall.Created, At: b.ledger.Now()}
			if before != "" {
				c.Action, c.Set, c.Was = landfall.Assigned, landfall.Fields{"queue": quoted(queue)}, landfall.Fields{"queue": quoted(before)}
			}
			keys := map[string][]string{"approvals": {"role:a", "user:mara"}, landfall.FallbackQueue: {"role:administrator", "user:mara"}}[queue]
			if err := b.ledger.Commit(&landfall.Effects{Writes: []landfall.Write{{Record: r, Audience: keys}}, Changes: []landfall.Change{c}}); err != nil {
				t.Fatal(err)
			}
			b.taken()
		})
	}
	w.give("emma", "role:a", true)
	issue("i-1", "approvals", "")
	issue("i-2", landfall.FallbackQueue, "")
	d := w.device("emma", "phone")
	got := []string{d.page(9)}
	w.give("emma", "role:a", false)
	issue("i-1", landfall.FallbackQueue, "approvals")
	issue("i-2", "approvals", landfall.FallbackQueue)
	got = append(got, d.page(9), d.page(9))
	if want := []string{"i-1@3", "-i-1", ""}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}
