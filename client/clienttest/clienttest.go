// Package clienttest is the suite that every storage of a client passes.
package clienttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
)

// Run runs the suite; open gives an empty storage each time.
func Run(t *testing.T, open func(*testing.T) client.Storage) {
	t.Helper()
	for name, topic := range map[string]func(*testing.T, client.Storage){
		"values": values, "records": records, "outbox": outbox, "rollback": rollback, "clear": clearAll, "cancelled": cancelled,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			topic(t, s)
		})
	}
}

func update(t *testing.T, s client.Storage, f func(client.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, s client.Storage, f func(client.Tx) error) {
	t.Helper()
	if err := s.View(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	w, err2 := json.Marshal(want)
	if err != nil || err2 != nil || string(g) != string(w) {
		t.Errorf("%s: got %s, want %s (%v %v)", what, g, w, err, err2)
	}
}

func values(t *testing.T, s client.Storage) {
	update(t, s, func(tx client.Tx) error {
		return errors.Join(tx.SetValue("a", []byte{0, 1, 255}), tx.SetValue("b", []byte("x")), tx.SetValue("b", []byte("y")), tx.SetValue("c", []byte("z")), tx.SetValue("c", nil))
	})
	view(t, s, func(tx client.Tx) error {
		for name, want := range map[string][]byte{"a": {0, 1, 255}, "b": []byte("y"), "c": nil, "never": nil} {
			got, err := tx.Value(name)
			if err != nil {
				return err
			}
			same(t, name, got, want)
		}
		return nil
	})
}

func record(id, typ string) *landfall.Record {
	return &landfall.Record{ID: id, Type: typ, Version: 3, Fields: landfall.Fields{"name": landfall.Value(`"<a & b>"`)}}
}

func records(t *testing.T, s client.Storage) {
	update(t, s, func(tx client.Tx) error {
		return errors.Join(tx.PutRecord(record("b", "site")), tx.PutRecord(record("a", "site")), tx.PutRecord(record("c", "site")), tx.PutRecord(record("c", "visit")), tx.PutRecord(record("d", "site")), tx.DeleteRecord("d"), tx.DeleteRecord("never"))
	})
	ids := func(tx client.Tx, typ string) (out []string) {
		all, err := tx.Records(typ)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			out = append(out, r.ID)
		}
		return out
	}
	view(t, s, func(tx client.Tx) error {
		r, err := tx.Record("a")
		if err != nil {
			return err
		}
		same(t, "bytes of a value", string(r.Fields["name"]), `"<a & b>"`)
		same(t, "of a type", ids(tx, "site"), []string{"a", "b"})
		same(t, "all", ids(tx, ""), []string{"a", "b", "c"})
		none, err := tx.Record("d")
		same(t, "deleted", none == nil, true)
		return err
	})
}

func outbox(t *testing.T, s client.Storage) {
	update(t, s, func(tx client.Tx) error {
		for _, at := range [][2]int64{{2, 1}, {1, 10}, {1, 9}} {
			e := &client.Entry{Incarnation: at[0], N: at[1], Bytes: []byte(fmt.Sprintf(`{"n":%d,"x":"<&>"}`, at[1])), State: client.Pending}
			if err := tx.PutEntry(e); err != nil {
				return err
			}
		}
		return tx.PutEntry(&client.Entry{Incarnation: 1, N: 10, Bytes: []byte(`{"n":10}`), State: client.Issued, Issue: "i", Receipt: &landfall.Receipt{N: 10, Result: landfall.Issued}})
	})
	view(t, s, func(tx client.Tx) error {
		all, err := tx.Entries()
		var order [][2]int64
		for _, e := range all {
			order = append(order, [2]int64{e.Incarnation, e.N})
		}
		same(t, "order", order, [][2]int64{{1, 9}, {1, 10}, {2, 1}})
		same(t, "bytes", string(all[0].Bytes), `{"n":9,"x":"<&>"}`)
		e, err2 := tx.Entry(1, 10)
		same(t, "entry", []any{e.State, e.Issue, e.Receipt.N}, []any{"issue", "i", 10})
		none, err3 := tx.Entry(3, 1)
		same(t, "none", none == nil, true)
		return errors.Join(err, err2, err3)
	})
	update(t, s, func(tx client.Tx) error { return errors.Join(tx.DeleteEntry(1, 9), tx.DeleteEntry(9, 9)) })
	view(t, s, func(tx client.Tx) error {
		all, err := tx.Entries()
		same(t, "left", len(all), 2)
		return err
	})
}

var errNo = errors.New("no")

func rollback(t *testing.T, s client.Storage) {
	err := s.Update(t.Context(), func(tx client.Tx) error {
		if err := errors.Join(tx.SetValue("a", []byte("x")), tx.PutRecord(record("a", "site")), tx.PutEntry(&client.Entry{Incarnation: 1, N: 1})); err != nil {
			return err
		}
		if r, err := tx.Record("a"); err != nil || r == nil {
			t.Errorf("a transaction reads its own writes: %v %v", r, err)
		}
		return errNo
	})
	if !errors.Is(err, errNo) {
		t.Fatal(err)
	}
	view(t, s, func(tx client.Tx) error {
		v, err := tx.Value("a")
		r, err2 := tx.Records("")
		e, err3 := tx.Entries()
		if v != nil || len(r) > 0 || len(e) > 0 {
			t.Errorf("left behind: %s %v %v", v, r, e)
		}
		return errors.Join(err, err2, err3)
	})
}

func clearAll(t *testing.T, s client.Storage) {
	update(t, s, func(tx client.Tx) error {
		return errors.Join(tx.SetValue("a", []byte("x")), tx.PutRecord(record("a", "site")), tx.PutEntry(&client.Entry{Incarnation: 1, N: 1}), tx.Clear())
	})
	view(t, s, func(tx client.Tx) error {
		v, err := tx.Value("a")
		r, err2 := tx.Records("")
		e, err3 := tx.Entries()
		same(t, "empty", []any{v == nil, len(r), len(e)}, []any{true, 0, 0})
		return errors.Join(err, err2, err3)
	})
}

func cancelled(t *testing.T, s client.Storage) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Update(ctx, func(client.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	update(t, s, func(client.Tx) error { return nil }) // it works on
}
