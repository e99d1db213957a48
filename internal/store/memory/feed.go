package memory

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/store"
)

// The states of a record under a key.
const (
	here    = "here"
	gone    = "gone"
	deleted = "deleted" // under the key all the same
)

func stateOf(r *landfall.Record) string {
	if r.Deleted {
		return deleted
	}
	return here
}

// entry is where a record stands in the feed of a key.
type entry struct {
	seq        int64
	state, typ string
}

func (e entry) encode() []byte { return []byte(kv.Key(kv.Number(e.seq), e.state, e.typ)) }

func decodeEntry(b []byte) (e entry, err error) {
	parts := kv.Parts(string(b))
	e.state, e.typ = parts[1], parts[2]
	e.seq, err = kv.ParseNumber(parts[0])
	return e, err
}

// enter moves the record to a place in the feed of a key. It has one entry
// there, which is also found by the record.
func (t *tx) enter(ws, key string, r *landfall.Record, seq int64, state string) error {
	at, member := kv.Key("place", ws, r.ID, key), kv.Key("member", ws, key, r.Type, r.ID)
	if b, ok := t.kv.Get(at); ok {
		old, err := decodeEntry(b)
		if err != nil {
			return err
		}
		t.kv.Delete(kv.Key("feed", ws, key, kv.Number(old.seq), r.ID))
	}
	if state == gone {
		t.kv.Delete(member)
	} else if _, under := t.kv.Get(member); !under {
		t.kv.Put(member, nil)
	}
	row := entry{seq, state, r.Type}.encode()
	t.kv.Put(at, row)
	t.kv.Put(kv.Key("feed", ws, key, kv.Number(seq), r.ID), row)
	return nil
}

// standing calls f for the entries of a record, by key.
func (t *tx) standing(ws, id string, f func(key string, e entry)) error {
	for at, b := range t.up(kv.Key("place", ws, id), "") {
		e, err := decodeEntry(b)
		if err != nil {
			return err
		}
		f(kv.Last(at), e)
	}
	return nil
}

// Audience implements store.Reader.
func (t *tx) Audience(ws, id string) (keys []string, err error) {
	err = t.standing(ws, id, func(key string, e entry) {
		if e.state != gone {
			keys = append(keys, key)
		}
	})
	return keys, err
}

// Entered implements store.Reader.
func (t *tx) Entered(ws, key, id string, seq int64) (bool, error) {
	b, ok := t.kv.Get(kv.Key("feed", ws, key, kv.Number(seq), id))
	if !ok {
		return false, nil
	}
	e, err := decodeEntry(b)
	return e.state != gone, err
}

// Feed implements store.Reader.
func (t *tx) Feed(ws, key string, after store.Spot, upto int64, limit int) (out []store.Entry, err error) {
	for at, b := range t.up(kv.Key("feed", ws, key), kv.Key("feed", ws, key, kv.Number(after.Seq), after.ID)) {
		e, err := decodeEntry(b)
		if err != nil {
			return nil, err
		}
		if e.seq > upto || len(out) >= limit {
			break
		}
		line := store.Entry{Seq: e.seq, Type: e.typ, ID: kv.Last(at), Gone: e.state == gone}
		if e.state == here {
			body, _ := t.kv.Get(kv.Key("record", ws, line.ID))
			line.Record = slices.Clone(body)
		}
		out = append(out, line)
	}
	return out, nil
}

// Keyed implements store.Reader.
func (t *tx) Keyed(ws, key, typ, before string, limit int) ([]string, error) {
	if before != "" {
		before = kv.Key("member", ws, key, typ, before)
	}
	return names(t.down(kv.Key("member", ws, key, typ), before), limit), nil
}
