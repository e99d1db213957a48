package changelog

import (
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
)

func numbered(w *world, id, number string) {
	w.t.Helper()
	w.update(func(tx store.Writer) error {
		r, err := tx.Record(ws, id)
		if err != nil {
			return err
		}
		aud, err := tx.Audience(ws, id)
		if err != nil {
			return err
		}
		r.Number = number
		return tx.PutRecord(ws, r, aud)
	})
}

func TestFind(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(
		put{id: "aa-1", owner: "emma"}, put{id: "aa-2", owner: "emma"}, put{id: "aa-3", owner: "mara"},
		put{id: "ab-1", owner: "emma"}, put{id: "ab-2", owner: "mara"}, put{id: "ac-1", owner: "emma", deleted: true},
	)
	numbered(w, "aa-1", "DOC-1")
	numbered(w, "ab-2", "DOC-2")
	emma := landfall.Actor{User: "emma"}
	for ref, want := range map[string]string{"aa-1": "aa-1", "DOC-1": "aa-1", "doc-1": "aa-1", "ab": "ab-1", "aa-2": "aa-2"} {
		v, err := w.log.Find(ctx, ws, emma, "doc", ref)
		if err != nil || v.ID != want || v.Label == "" {
			t.Errorf("%s is %+v, %v; want %s", ref, v, err, want)
		}
	}
	_, err := w.log.Find(ctx, ws, emma, "doc", "a")
	expect(t, err, landfall.CodeInvalid, "3 ids")
	_, err = w.log.Find(ctx, ws, emma, "dok", "a")
	expect(t, err, landfall.CodeInvalid, "dok", "doc")
	for _, ref := range []string{"ab-2", "DOC-2", "aa-3", "ac-1", "zz", ""} {
		_, err := w.log.Find(ctx, ws, emma, "doc", ref)
		expect(t, err, landfall.CodeNotFound)
		if want := fmt.Sprintf("there is no doc %q, or you may not see it (use an id, the beginning of one, or a number)", ref); err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
	_, err = w.log.Find(ctx, ws, emma, landfall.IssueType, "aa-1")
	expect(t, err, landfall.CodeNotFound)
}

func TestRecords(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	for n := range 30 {
		p := put{id: fmt.Sprintf("r%02d", n), owner: []string{"emma", "mara", "otto"}[n%3], status: []string{"s0", "s1"}[n%2]}
		if n%9 == 1 {
			p.status = "s3" // for all
		}
		if n == 27 {
			p.deleted = true
		}
		w.put(p)
	}
	emma := landfall.Actor{User: "emma"}
	list := func(q Query, limit int) (got []string) {
		t.Helper()
		p := store.Page{Limit: limit}
		for {
			l, err := w.log.Records(ctx, ws, emma, q, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range l.Items {
				got = append(got, v.ID)
			}
			if l.Next == "" {
				return got
			}
			if len(l.Items) != limit {
				t.Fatalf("a page of %d says that there is more", len(l.Items))
			}
			p.After = l.Next
		}
	}
	if got, want := fmt.Sprint(list(Query{Type: "doc"}, 4)), "[r28 r24 r21 r19 r18 r15 r12 r10 r09 r06 r03 r01 r00]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(list(Query{Type: "doc", Status: "s1"}, 2)), "[r21 r15 r09 r03]"; got != want {
		t.Errorf("by status: %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(list(Query{Type: "doc", Queue: "approvals"}, 1)), "[r21 r15 r09 r03]"; got != want {
		t.Errorf("by queue: %s, want %s", got, want)
	}
	for _, c := range []struct {
		q    Query
		says string
	}{{Query{Type: "docs"}, `"doc"`}, {Query{Type: "doc", Status: "s9"}, "s"}, {Query{Type: "doc", Queue: "approval"}, `"approvals"`}, {Query{}, "type"}} {
		_, err := w.log.Records(ctx, ws, emma, c.q, store.Page{})
		expect(t, err, landfall.CodeInvalid, c.says)
	}
	empty, err := w.log.Records(ctx, ws, emma, Query{Type: landfall.IssueType}, store.Page{})
	if err != nil || empty.Items == nil || len(empty.Items) != 0 {
		t.Errorf("issues: %+v, %v", empty, err)
	}
}

func TestIssuesAreRecords(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	i := landfall.Issue{ID: "i-1", Number: 17, State: landfall.IssueOpen, Queue: "approvals", Author: "emma", Kind: landfall.KindStatus}
	w.batch(func(b *batch) {
		i.Version = b.ledger.Next()
		r, err := i.AsRecord()
		if err != nil {
			t.Fatal(err)
		}
		err = b.ledger.Commit(&landfall.Effects{Writes: []landfall.Write{{Record: r, Audience: []string{"role:a", "user:emma"}}}})
		if err == nil {
			err = b.tx.PutIssue(ws, &store.IssueRow{Issue: i})
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	emma := landfall.Actor{User: "emma"}
	for _, ref := range []string{"17", "i-1", "i"} {
		v, err := w.log.Find(ctx, ws, emma, landfall.IssueType, ref)
		if err != nil || v.ID != "i-1" || v.Label != "Sync issue 17" {
			t.Errorf("%s: %+v, %v", ref, v, err)
		}
	}
	reply, err := w.log.Pull(ctx, ws, "phone", emma, "", 9)
	if err != nil || len(reply.Changes) != 1 || reply.Changes[0].Type != landfall.IssueType {
		t.Errorf("pulled %+v, %v", reply, err)
	}
	list, err := w.log.Records(ctx, ws, emma, Query{Type: landfall.IssueType, Status: landfall.IssueOpen}, store.Page{})
	if err != nil || len(list.Items) != 1 {
		t.Errorf("listed %+v, %v", list, err)
	}
}

func TestHistory(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "a", owner: "mara"}, put{id: "b", owner: "mara"}, put{id: "a", owner: "emma"})
	emma := landfall.Actor{User: "emma"}
	changes, err := w.log.History(ctx, ws, emma, "doc", "a")
	if err != nil || len(changes) != 2 || changes[0].Seq != 2 || changes[1].Seq != 4 || string(changes[1].Was["owner"]) != `"mara"` {
		t.Fatalf("%+v, %v", changes, err)
	}
	_, err = w.log.History(ctx, ws, emma, "doc", "b")
	expect(t, err, landfall.CodeNotFound)
}
