package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

func records(t *testing.T, b *bench) {
	r := record("0a", 1)
	r.Number = "T-1"
	b.update(func(w store.Writer) error {
		return errors.Join(w.PutRecord("w", r, []string{"user:emma", "all"}), w.PutRecord("w", record("0b", 2), nil), w.PutRecord("w", record("1c", 3), nil))
	})
	r.Fields["name"] = landfall.Value(`"changed by the caller"`)
	b.view(func(v store.Reader) error {
		got, err := v.Record("w", "0a")
		if err != nil {
			return err
		}
		same(t, "value", string(got.Fields["name"]), `"<ü & 漢>"`)
		same(t, "times", []any{got.CreatedAt, got.UpdatedAt, got.Edits["name"].At}, []any{at(1), at(2), at(2)})
		by, err := v.RecordByNumber("w", "T-1")
		if err != nil {
			return err
		}
		same(t, "by number", by.ID, "0a")
		keys, err := v.Audience("w", "0a")
		same(t, "audience", keys, []string{"all", "user:emma"})
		prefix, err2 := v.RecordsByPrefix("w", "0", 5)
		same(t, "prefix", prefix, []string{"0a", "0b"})
		one, err3 := v.RecordsByPrefix("w", "0", 1)
		same(t, "prefix, limited", one, []string{"0a"})
		none, err4 := v.Record("w", "zz")
		unnumbered, err5 := v.RecordByNumber("w", "")
		same(t, "absent", none == nil && unnumbered == nil, true)
		return errors.Join(err, err2, err3, err4, err5)
	})
}

// feed: one entry a record and key, the latest; a key that is left has Gone.
func feed(t *testing.T, b *bench) {
	put := func(id string, version int64, keys ...string) {
		b.update(func(w store.Writer) error { return w.PutRecord("w", record(id, version), keys) })
	}
	put("a", 1, "k", "l")
	put("b", 2, "k")
	put("c", 2, "k")
	put("a", 3, "l")
	b.view(func(r store.Reader) error {
		all, err := bare(r.Feed("w", "k", store.Spot{}, 9, 9))
		same(t, "k", all, []store.Entry{{Seq: 2, Type: "thing", ID: "b"}, {Seq: 2, Type: "thing", ID: "c"}, {Seq: 3, Type: "thing", ID: "a", Gone: true}})
		upto, err2 := bare(r.Feed("w", "k", store.Spot{}, 2, 1))
		same(t, "limit", upto, []store.Entry{{Seq: 2, Type: "thing", ID: "b"}})
		within, err8 := bare(r.Feed("w", "k", store.Spot{Seq: 2, ID: "b"}, 9, 1))
		same(t, "within a place", within, []store.Entry{{Seq: 2, Type: "thing", ID: "c"}})
		after, err3 := bare(r.Feed("w", "k", store.Behind(2), 9, 9))
		same(t, "after", len(after), 1)
		l, err4 := bare(r.Feed("w", "l", store.Spot{}, 9, 9))
		same(t, "l", l, []store.Entry{{Seq: 3, Type: "thing", ID: "a"}})
		keyed, err5 := r.Keyed("w", "k", "thing", "", 9)
		same(t, "keyed", keyed, []string{"c", "b"})
		before, err6 := r.Keyed("w", "k", "thing", "c", 9)
		same(t, "keyed before", before, []string{"b"})
		other, err7 := r.Keyed("w", "k", "thingummy", "", 9)
		same(t, "of another type", other, nil)
		return errors.Join(err, err2, err3, err4, err5, err6, err7, err8)
	})
	put("a", 4, "k") // back again
	b.view(func(r store.Reader) error {
		all, err := bare(r.Feed("w", "k", store.Behind(2), 9, 9))
		same(t, "back under k", all, []store.Entry{{Seq: 4, Type: "thing", ID: "a"}})
		l, err2 := bare(r.Feed("w", "l", store.Spot{}, 9, 9))
		same(t, "gone from l", l, []store.Entry{{Seq: 4, Type: "thing", ID: "a", Gone: true}})
		return errors.Join(err, err2)
	})
}

// regroup: another audience without another version. Keys that stay are left as
// they are, and the next version of the record is under all of its keys.
func regroup(t *testing.T, b *bench) {
	here := func(seq int64) store.Entry { return store.Entry{Seq: seq, Type: "thing", ID: "a"} }
	gone := func(seq int64) store.Entry { return store.Entry{Seq: seq, Type: "thing", ID: "a", Gone: true} }
	move := func(seq int64, keys ...string) {
		b.update(func(w store.Writer) error { return w.Regroup("w", "a", keys, seq) })
	}
	put := func(version int64, keys ...string) {
		b.update(func(w store.Writer) error { return w.PutRecord("w", record("a", version), keys) })
	}
	put(1, "k", "l")
	move(5, "m", "l", "m")
	b.row(1, []string{"l", "m"}, map[string]int64{"k": 5, "m": 5})
	b.entry("k", gone(5))
	b.entry("l", here(1))
	b.entry("m", here(5))
	move(6, "m", "l")
	b.row(1, []string{"l", "m"}, map[string]int64{"k": 5, "m": 5})
	move(7, "k")
	b.row(1, []string{"k"}, map[string]int64{"k": 7, "l": 7, "m": 7})
	b.entry("k", here(7))
	b.entry("l", gone(7))
	b.entry("m", gone(7))
	put(8, "k", "m")
	b.row(8, []string{"k", "m"}, map[string]int64{"l": 7})
	b.entry("k", here(8))
	b.entry("m", here(8))
	move(9)
	b.row(8, nil, map[string]int64{"k": 9, "l": 7, "m": 9})
	move(10, "k")
	put(11, "l")
	b.row(11, []string{"l"}, map[string]int64{"k": 11, "m": 9})
	b.entry("k", gone(11))
	b.entry("l", here(11))
	b.entry("m", gone(9))
	if b.s.Update(t.Context(), func(w store.Writer) error { return w.Regroup("w", "zz", []string{"k"}, 12) }) == nil {
		t.Error("a record that is not there got an audience")
	}
}

// row: the record a is at this version, under these keys.
func (b *bench) row(version int64, keys []string, places map[string]int64) {
	b.t.Helper()
	b.view(func(r store.Reader) error {
		got, err := r.Row("w", "a")
		same(b.t, "version", got.Record.Version, version)
		same(b.t, "keys", got.Keys, keys)
		same(b.t, "places", got.Places, places)
		aud, err2 := r.Audience("w", "a")
		same(b.t, "audience", aud, keys)
		return errors.Join(err, err2)
	})
}

// entry: the feed of a key has this, and nothing else.
func (b *bench) entry(key string, want store.Entry) {
	b.t.Helper()
	b.view(func(r store.Reader) error {
		got, err := r.Feed("w", key, store.Spot{}, 99, 99)
		for i := range got {
			same(b.t, "gone without the record", len(got[i].Record) == 0, got[i].Gone)
			got[i].Record = nil
		}
		same(b.t, "feed of "+key, got, []store.Entry{want})
		there, err2 := r.Entered("w", key, want.ID, want.Seq)
		before, err3 := r.Entered("w", key, want.ID, want.Seq-1)
		same(b.t, "entered, now and before", []bool{there, before}, []bool{!want.Gone, false})
		keyed, err4 := r.Keyed("w", key, "thing", "", 9)
		same(b.t, "under "+key, len(keyed) == 1, !want.Gone)
		return errors.Join(err, err2, err3, err4)
	})
}

func history(t *testing.T, b *bench) {
	b.update(func(w store.Writer) error {
		for _, c := range []landfall.Change{{Seq: 1, ID: "a"}, {Seq: 3, ID: "a", Index: 0}, {Seq: 3, ID: "a", Index: 1}, {Seq: 3, ID: "b", Index: 2}, {Seq: 12, ID: "a"}} {
			c.Type, c.Author, c.At, c.Edited = "thing", "emma", at(1), at(2)
			c.Set, c.Origin = landfall.Fields{"n": landfall.Value(`1`)}, landfall.Key{Replica: "p", Incarnation: 1, N: c.Seq}
			if err := w.AddChange("w", &c); err != nil {
				return err
			}
		}
		return nil
	})
	b.view(func(r store.Reader) error {
		got, err := r.Changes("w", "a", 1)
		var places [][2]int64
		for _, c := range got {
			places = append(places, [2]int64{c.Seq, int64(c.Index)})
			same(t, "edited", c.Edited, at(2))
		}
		same(t, "places", places, [][2]int64{{3, 0}, {3, 1}, {12, 0}})
		none, err2 := r.Changes("w", "zz", 0)
		same(t, "none", none, nil)
		return errors.Join(err, err2)
	})
}

func unique(t *testing.T, b *bench) {
	holder := func(value, want string) {
		t.Helper()
		b.view(func(r store.Reader) error {
			id, err := r.Unique("w", "thing", "plate", value)
			same(t, "holder of "+value, id, want)
			return err
		})
	}
	set := func(id string, values map[string]string) error {
		return b.s.Update(t.Context(), func(w store.Writer) error { return w.SetUnique("w", "thing", id, values) })
	}
	if err := errors.Join(set("a", map[string]string{"plate": "X"}), set("b", map[string]string{"plate": "Y"}), set("a", map[string]string{"plate": "Z"})); err != nil {
		t.Fatal(err)
	}
	holder("X", "")
	holder("Y", "b")
	holder("Z", "a")
	if set("a", map[string]string{"plate": "Y"}) == nil {
		t.Error("a value was given to a second record")
	}
	holder("Z", "a")
	if err := set("b", nil); err != nil {
		t.Fatal(err)
	}
	holder("Y", "")
}

// links: records are found from what they name, page by page.
func links(t *testing.T, b *bench) {
	set := func(typ, id string, links ...landfall.Link) {
		b.update(func(w store.Writer) error { return w.SetLinks("w", typ, id, links) })
	}
	find := func(want []string, target, typ, field, after string, limit int) {
		t.Helper()
		b.view(func(r store.Reader) error {
			got, err := r.Referrers("w", target, typ, field, after, limit)
			same(t, fmt.Sprintf("%s.%s of %s after %q", typ, field, target, after), got, want)
			return err
		})
	}
	for _, id := range []string{"c", "a", "b"} {
		set("thing", id, landfall.Link{Field: "of", Target: "t"}, landfall.Link{Field: "by", Target: "u"})
	}
	set("other", "d", landfall.Link{Field: "of", Target: "t"})
	find([]string{"a", "b", "c"}, "t", "thing", "of", "", 9)
	find([]string{"a", "b"}, "t", "thing", "of", "", 2)
	find([]string{"c"}, "t", "thing", "of", "b", 2)
	find([]string{"d"}, "t", "other", "of", "", 9)
	find(nil, "t", "thing", "by", "", 9)
	find([]string{"a", "b", "c"}, "u", "thing", "by", "", 9)
	set("thing", "b", landfall.Link{Field: "-of", Target: "t"})
	set("thing", "a")
	find([]string{"c"}, "t", "thing", "of", "", 9)
	find([]string{"b"}, "t", "thing", "-of", "", 9)
	find([]string{"c"}, "u", "thing", "by", "", 9)
	b.view(func(r store.Reader) error {
		got, err := r.Referrers("other", "t", "thing", "of", "", 9)
		same(t, "another workspace", got, nil)
		return err
	})
}

func cases(t *testing.T, b *bench) {
	for i := range 5 {
		r := record(fmt.Sprint("c", i), int64(10-i))
		r.Queue, r.Assignee = "approvals", "mara"
		r.Deleted = i == 4
		b.update(func(w store.Writer) error { return w.PutRecord("w", r, nil) })
	}
	read := func(list func(p store.Page) ([]*landfall.Record, error)) {
		var got []string
		after := ""
		for {
			page, err := list(store.Page{After: after, Limit: 3})
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, r := range page {
				got = append(got, r.ID)
			}
			after = got[len(got)-1]
		}
		same(t, "newest change first, without the deleted one", got, []string{"c0", "c1", "c2", "c3"})
	}
	b.view(func(r store.Reader) error {
		read(func(p store.Page) ([]*landfall.Record, error) { return r.Queued("w", "approvals", p) })
		read(func(p store.Page) ([]*landfall.Record, error) { return r.Assigned("w", "mara", p) })
		none, err := r.Queued("w", "other", store.Page{Limit: 3})
		same(t, "another queue", none, nil)
		return err
	})
}

func grants(t *testing.T, b *bench) {
	b.update(func(w store.Writer) error {
		return errors.Join(w.PutGrant("w", store.GrantRow{User: "emma", Key: "role:b", From: 2}), w.PutGrant("w", store.GrantRow{User: "emma", Key: "role:a", From: 5}),
			w.PutGrant("w", store.GrantRow{User: "mara", Key: "role:a", From: 1}), w.PutGrant("w", store.GrantRow{User: "emma", Key: "role:b", From: 2, To: 4}),
			w.PutGrant("w", store.GrantRow{User: "emma", Key: "role:b", From: 7}))
	})
	b.view(func(r store.Reader) error {
		got, err := r.Grants("w", "emma")
		same(t, "spans", got, []store.GrantRow{{User: "emma", Key: "role:b", From: 2, To: 4}, {User: "emma", Key: "role:a", From: 5}, {User: "emma", Key: "role:b", From: 7}})
		return err
	})
}

// bare takes the records off entries, and holds them to what they are of.
func bare(all []store.Entry, err error) ([]store.Entry, error) {
	for i := range all {
		e := &all[i]
		if e.Gone == (len(e.Record) > 0) {
			err = errors.Join(err, fmt.Errorf("entry %d of %s, gone %v, has the record %q", e.Seq, e.ID, e.Gone, e.Record))
		}
		if r, derr := store.DecodeRecord(e.Record, nil); !e.Gone && (derr != nil || r.ID != e.ID || r.Version != e.Seq) {
			err = errors.Join(err, fmt.Errorf("the entry %d of %s has the record %s, %w", e.Seq, e.ID, e.Record, derr))
		}
		e.Record = nil
	}
	return all, err
}
