package memory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
)

// full is a store with a day's work in it: 2,000 items of 20 devices on as many
// records; every tenth is held by an issue, every fifth settled.
func full(b *testing.B) *memory.Store {
	s := memory.New()
	err := s.Update(b.Context(), func(w store.Writer) error {
		if err := w.CreateWorkspace("w", store.Head{Epoch: "e"}); err != nil {
			return err
		}
		for n := range int64(2000) {
			if err := step(w, n+1); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// step writes what a verdict does.
func step(w store.Writer, seq int64) error {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(seq) * time.Second)
	id, user := fmt.Sprintf("record-%04d", seq%2000), fmt.Sprint("user", seq%20)
	r := &landfall.Record{Type: "thing", ID: id, Version: seq, Status: "open", CreatedAt: at, UpdatedAt: at, Queue: "approvals",
		Fields: landfall.Fields{"title": landfall.Value(`"Delivery to the harbour"`), "amount": landfall.Value(`"12.50"`)},
		Edits:  map[string]landfall.Edit{"title": {Author: user, At: at, Seq: seq}, "amount": {Author: user, At: at, Seq: seq}}}
	old, err := w.Row("w", id)
	if err != nil {
		return err
	}
	if err := w.PutRow("w", old, r, []string{"role:" + user, "all"}); err != nil {
		return err
	}
	if err := w.AddChange("w", &landfall.Change{Type: r.Type, ID: id, Seq: seq, Action: landfall.Updated, Set: r.Fields, Author: user, At: at}); err != nil {
		return err
	}
	item := &store.Item{Key: landfall.Key{Replica: fmt.Sprint("device", seq%20), Incarnation: 1, N: seq}, User: user, State: store.Completed,
		Type: r.Type, Record: id, Refs: []string{id}, Op: landfall.OpUpdate, ReceivedAt: at, Bytes: []byte(`{"n":1,"set":{"amount":"12.50"}}`),
		Receipt: landfall.Receipt{N: seq, Result: landfall.Applied, Seq: seq}}
	if seq%10 == 0 {
		item.Holder = fmt.Sprint("issue", seq%50)
	}
	if seq%5 == 1 {
		item.Outcome = &landfall.Outcome{Incarnation: 1, N: seq, Seq: seq, Settlement: landfall.SettledKept}
	}
	if err := w.AddItem("w", item); err != nil {
		return err
	}
	if err := w.PutReplica("w", &store.Replica{ID: item.Key.Replica, User: user, Credential: "hash of " + item.Key.Replica, Incarnation: 1, Next: seq + 1}); err != nil {
		return err
	}
	return w.SetHead("w", store.Head{Epoch: "e", Seq: seq, Mark: "mark", Time: at})
}

// BenchmarkReads are the questions that judging and pulling ask.
func BenchmarkReads(b *testing.B) {
	for name, read := range map[string]func(store.Reader) (int, error){
		"Lane": func(r store.Reader) (int, error) {
			l, err := r.Lane("w", "device10", "record-0010")
			return len(l), err
		},
		"Held": func(r store.Reader) (int, error) { l, err := r.Held("w", "issue10"); return len(l), err },
		"Outcomes": func(r store.Reader) (int, error) {
			l, err := r.Outcomes("w", "device1", 1000, 2000, 10)
			return len(l), err
		},
		"Feed": func(r store.Reader) (int, error) {
			l, err := r.Feed("w", "role:user1", store.Behind(1000), 2000, 10)
			return len(l), err
		},
		"Queued": func(r store.Reader) (int, error) {
			l, err := r.Queued("w", "approvals", store.Page{Limit: 10})
			return len(l), err
		},
		"Credential": func(r store.Reader) (int, error) {
			ws, _, err := r.ReplicaByCredential("hash of device7")
			return len(ws), err
		},
	} {
		b.Run(name, func(b *testing.B) {
			s := full(b)
			for b.Loop() {
				err := s.View(b.Context(), func(r store.Reader) error {
					n, err := read(r)
					if n == 0 {
						b.Error("nothing found")
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStep is a transaction with the reads and writes of one verdict.
func BenchmarkStep(b *testing.B) {
	s := full(b)
	for seq := int64(2001); b.Loop(); seq++ {
		err := s.Update(b.Context(), func(w store.Writer) error {
			replica, id := fmt.Sprint("device", seq%20), fmt.Sprintf("record-%04d", seq%2000)
			if _, err := w.Lane("w", replica, id); err != nil {
				return err
			}
			if _, err := w.Item("w", landfall.Key{Replica: replica, Incarnation: 1, N: seq}); err != nil {
				return err
			}
			return step(w, seq)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
