package store

import (
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/landfall-sync/landfall"
)

var plainNames = regexp.MustCompile(`^[a-z_0-9]*$`)

// FuzzDecodeRecord reads anything as the row of a record: an error, or what is
// the same when it is written and read again.
func FuzzDecodeRecord(f *testing.F) {
	r := landfall.Record{Type: "t", ID: "i", Version: 3, Fields: landfall.Fields{"a": landfall.Value(`"x"`), "b": nil}, StatusEdit: &landfall.Edit{Author: "emma", Seq: 2}}
	f.Add(EncodeRecord(nil, &r), EncodeEdits(nil, map[string]landfall.Edit{"a": {Author: "emma", Seq: 1}, "b": {Author: "emma", Seq: 1}}))
	f.Add([]byte(`{"fields":{"a":[1,{}]},"created_at":"0000-01-01T00:00:00+23:59"}`), []byte(`[{"of":["",""]},{}]`))
	f.Add([]byte(`null`), []byte(`null`))
	f.Add([]byte(`{"version":1e3}`), []byte(``))
	f.Fuzz(func(t *testing.T, body, edits []byte) {
		r, err := DecodeRecord(body, edits)
		if err != nil {
			return
		}
		names := append(slices.Collect(maps.Keys(r.Fields)), slices.Collect(maps.Keys(r.Edits))...)
		if slices.ContainsFunc(names, func(n string) bool { return !plainNames.MatchString(n) }) {
			return // no definition has such a name
		}
		again, err := DecodeRecord(EncodeRecord(nil, r), EncodeEdits(nil, r.Edits))
		if err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		if text(t, again) != text(t, r) {
			t.Errorf("%s\n%s", text(t, again), text(t, r))
		}
	})
}

func text(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// FuzzDecodeRow reads anything as the other rows.
func FuzzDecodeRow(f *testing.F) {
	f.Add([]byte(`{"receipt":{"n":1,"result":"applied","seq":3},"queued":true,"history":[{"at":"2026-03-01T09:00:00Z","state":"completed"}]}`))
	f.Add([]byte(`{"Issue":{"kind":"gone"},"ID":"x","Version":3}`))
	f.Add([]byte(`{"issue":{},"Steps":null,"ID":1}`))
	f.Add([]byte(`[]`))
	f.Add([]byte("{\"Name\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		i := &Item{Record: "r"}
		if DecodeItem(b, i) == nil && i.Receipt.N > 0 { // every item that is judged has its number
			again := &Item{Record: "r"}
			if err := DecodeItem(row(t, i), again); err != nil || string(row(t, again)) != string(row(t, i)) {
				t.Errorf("%v\n%s\n%s", err, row(t, again), row(t, i))
			}
		}
		twice[IssueRow](t, b)
		twice[User](t, b)
		twice[Replica](t, b)
		twice[Session](t, b)
		twice[Head](t, b)
	})
}

func row(t *testing.T, i *Item) []byte {
	b, err := EncodeItem(nil, i)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// twice: what can be read can be written, and read as the same.
func twice[T any](t *testing.T, b []byte) {
	t.Helper()
	v, err := Decode[T](b)
	if err != nil {
		return
	}
	row, err := Encode(v)
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	again, err := Decode[T](row)
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	if back, err := Encode(again); err != nil || !reflect.DeepEqual(back, row) {
		t.Errorf("%T: %v\n%s\n%s", v, err, row, back)
	}
}
