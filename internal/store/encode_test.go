package store

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/landfall-sync/landfall"
)

func times() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		n := rapid.Int64Range(0, 4e18).Draw(t, "nanos")
		if n%7 == 0 {
			return time.Time{}
		}
		return time.Unix(0, n).UTC()
	})
}

func names() *rapid.Generator[string] { return rapid.StringMatching(`[a-z_]{1,6}`) }

func texts() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "<ü & 漢>", "\x00\x1f\"\\\n", "\u2028", "emma"}))
}

func values() *rapid.Generator[landfall.Value] {
	return rapid.Custom(func(t *rapid.T) landfall.Value {
		b, err := Encode(texts().Draw(t, "text"))
		if err != nil {
			t.Fatal(err)
		}
		return rapid.SampledFrom([]landfall.Value{landfall.Null, landfall.Value("12"), landfall.Value(`["a","b"]`), b}).Draw(t, "value")
	})
}

func fieldsOf(t *rapid.T, what string) landfall.Fields {
	if rapid.Bool().Draw(t, what+"?") {
		return nil
	}
	return rapid.MapOf(names(), values()).Draw(t, what)
}

func editOf(t *rapid.T) landfall.Edit {
	return landfall.Edit{Author: rapid.SampledFrom([]string{"emma", "mara"}).Draw(t, "author"), By: texts().Draw(t, "by"), At: times().Draw(t, "at"), Seq: rapid.Int64Range(0, 3).Draw(t, "seq")}
}

// asJSON is what the standard library makes of a value.
func asJSON(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What is encoded by hand is read back by the standard library as it was.
func TestEncodedByHand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := editOf(t)
		r := &landfall.Record{
			Type: texts().Draw(t, "type"), ID: texts().Draw(t, "id"), Version: rapid.Int64().Draw(t, "version"), Status: texts().Draw(t, "status"), Number: texts().Draw(t, "number"),
			Fields: fieldsOf(t, "fields"), Queue: texts().Draw(t, "queue"), Assignee: texts().Draw(t, "assignee"), CreatedBy: texts().Draw(t, "by"), CreatedAt: times().Draw(t, "created"),
			UpdatedAt: times().Draw(t, "updated"), Definition: rapid.Int64().Draw(t, "definition"), Deleted: rapid.Bool().Draw(t, "deleted"), StatusEdit: &e,
		}
		if rapid.Bool().Draw(t, "edited") {
			r.Edits = rapid.MapOfN(names(), rapid.Custom(editOf), 1, 5).Draw(t, "edits")
		}
		back, err := DecodeRecord(EncodeRecord(nil, r), EncodeEdits(nil, r.Edits))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := asJSON(t, back), asJSON(t, r); got != want {
			t.Fatalf("\n got %s\nwant %s", got, want)
		}

		c := landfall.Change{
			Type: texts().Draw(t, "type"), Action: landfall.Updated, Set: fieldsOf(t, "set"), Was: fieldsOf(t, "was"), Transition: texts().Draw(t, "transition"), From: texts().Draw(t, "from"), To: texts().Draw(t, "to"),
			Author: texts().Draw(t, "author"), By: texts().Draw(t, "by"), At: times().Draw(t, "at"), Edited: times().Draw(t, "edited"), Lost: fieldsOf(t, "lost"), Issue: texts().Draw(t, "issue"), Note: texts().Draw(t, "note"), Derived: rapid.Bool().Draw(t, "derived"),
			Origin: landfall.Key{Replica: texts().Draw(t, "replica"), Incarnation: rapid.Int64Range(-2, 2).Draw(t, "incarnation"), N: rapid.Int64Range(0, 2).Draw(t, "n")},
		}
		var again landfall.Change
		if err := json.Unmarshal(EncodeChange(nil, &c), &again); err != nil {
			t.Fatal(err)
		}
		if got, want := asJSON(t, again), asJSON(t, c); got != want {
			t.Fatalf("\n got %s\nwant %s", got, want)
		}
	})
}

func TestEncodedItems(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := &Item{
			Type: texts().Draw(t, "type"), Op: landfall.OpUpdate, ReceivedAt: times().Draw(t, "received"), Record: "r", Refs: []string{"r"},
			Receipt: landfall.Receipt{N: rapid.Int64Range(0, 3).Draw(t, "n"), Result: landfall.Issued, Seq: rapid.Int64Range(0, 3).Draw(t, "seq"), Issue: texts().Draw(t, "issue"), Kind: landfall.KindGone, Waiting: rapid.Bool().Draw(t, "waiting"), Note: texts().Draw(t, "note")},
		}
		if rapid.Bool().Draw(t, "messages") {
			i.Receipt.Messages = []landfall.Message{{Code: "c", Text: texts().Draw(t, "message")}}
		}
		if rapid.Bool().Draw(t, "refs") {
			i.Refs = append(i.Refs, "s")
		}
		if rapid.Bool().Draw(t, "outcome") {
			i.Outcome = &landfall.Outcome{N: 3, Seq: 9, Settlement: landfall.SettledKept}
		}
		for range rapid.IntRange(0, 3).Draw(t, "events") {
			i.History = append(i.History, ItemEvent{At: times().Draw(t, "event"), State: Completed, Text: texts().Draw(t, "text")})
		}
		if rapid.Bool().Draw(t, "queued") {
			if len(i.History) > 0 && rapid.Bool().Draw(t, "begun") {
				i.History = append([]ItemEvent{{At: i.History[0].At, State: InProgress}}, i.History...)
			}
			i.History = append([]ItemEvent{{At: i.ReceivedAt, State: Queued}}, i.History...)
		}
		if rapid.Bool().Draw(t, "cleaned") {
			i.Cleaned = &Cleaned{At: times().Draw(t, "cleaned at"), Ended: times().Draw(t, "ended")}
		}
		b, err := EncodeItem(nil, i)
		if err != nil {
			t.Fatal(err)
		}
		back := &Item{ReceivedAt: i.ReceivedAt, Record: i.Record}
		if err := DecodeItem(b, back); err != nil {
			t.Fatal(err)
		}
		if got, want := asJSON(t, back), asJSON(t, i); got != want {
			t.Fatalf("\n got %s\nwant %s", got, want)
		}
	})
}
