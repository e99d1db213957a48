package publish

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// referring has spares that name a task, in front of those in the file.
var referring = func() string {
	head, types, _ := strings.Cut(source, "types:\n")
	task, spare, _ := strings.Cut(types, "  spare:")
	return head + "types:\n  spare:" + strings.Replace(spare, "what: {type: text}", "what: {type: text}\n      of: {type: reference, to: task}", 1) + task
}()

// seenVia lets see spares who sees their task, which others may see now.
var seenVia = strings.NewReplacer("audience: [all]\n    rights:\n      worker: {create: true, update: true}\n  task", "audience: [via:of]\n    rights:\n      worker: {create: true, update: true}\n  task",
	"audience: [all]", "audience: [role:worker]").Replace(referring)

// A definition that lets records be seen through others builds the links, and
// moves those first through which others are seen. A dry run tells as much.
func TestSeenViaFromNowOn(t *testing.T) {
	w := newWorld(t)
	w.publish(referring)
	spare := landfall.Record{Type: "spare", ID: "s", Fields: landfall.Fields{"of": landfall.Value(`"b"`)}}
	alone := landfall.Record{Type: "spare", ID: "x", Fields: landfall.Fields{}}
	w.keep([]string{"all"}, task("b", "open"), spare, alone)
	dry, err := w.Publish(t.Context(), ws, admin, wire.Publish{Source: seenVia, DryRun: true})
	for _, want := range []string{`the audience of "task" changes: 1 of`, `the audience of "spare" changes: 2 of`} {
		if err != nil || !strings.Contains(text(dry.Problems), want) {
			t.Errorf("%s: %v %v", want, text(dry.Problems), err)
		}
	}
	w.publish(seenVia)
	const want = `b@2 [role:worker] map[all:3 role:worker:3]
s@2 [role:worker] map[all:3 role:worker:3]
x@2 [] map[all:3]`
	if got := w.rows(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	err = w.store.View(t.Context(), func(r store.Reader) error {
		ids, err := r.Referrers(ws, "b", "spare", "of", "", 9)
		if len(ids) != 1 || ids[0] != "s" {
			t.Errorf("found from b: %v", ids)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// Who sees tasks is changed, and nothing is said of spares: they follow.
	w.publish(strings.Replace(seenVia, "audience: [role:worker]", "audience: [all]", 1))
	if got := w.rows(); !strings.Contains(got, "s@2 [all]") {
		t.Errorf("got\n%s", got)
	}
}

// What is renamed is renamed in stored records, deleted ones too, each with an
// entry in its history; those that are not valid then keep their stamp.
func TestStoredRecordsAreConverted(t *testing.T) {
	w := newWorld(t)
	w.publish(source)
	of := func(id, status string, fields landfall.Fields) landfall.Record {
		return landfall.Record{Type: "task", ID: id, Status: status, Definition: 1, Fields: fields, Edits: map[string]landfall.Edit{"note": {Author: "emma"}}}
	}
	gone := of("c", "late", landfall.Fields{"what": landfall.Value(`"w"`), "note": landfall.Value(`"n"`)})
	gone.Deleted = true
	w.keep([]string{"all"}, of("a", "late", landfall.Fields{"what": landfall.Value(`"w"`), "note": landfall.Value(`"n"`)}), of("b", "open", landfall.Fields{"note": landfall.Value(`"n"`)}), gone, of("d", "open", landfall.Fields{"what": landfall.Value(`"w"`)}))
	next := strings.NewReplacer("note:", "remark:", "late: {resolved", "delayed: {resolved", "to: late", "to: delayed").Replace(source) +
		"convert:\n  - {to: 2, type: task, rename: {note: remark}, statuses: {late: delayed}}\n"
	dry, err := w.Publish(t.Context(), ws, admin, wire.Publish{Source: next, DryRun: true})
	if err != nil || !strings.Contains(text(dry.Problems), `3 records of "task" are converted`) || strings.Contains(text(dry.Problems), "is gone") {
		t.Errorf("%v %v", text(dry.Problems), err)
	}
	w.publish(next)
	err = w.store.View(t.Context(), func(r store.Reader) error {
		for id, want := range map[string]struct {
			status     string
			definition int64
			version    int64
		}{"a": {"delayed", 2, 3}, "b": {"open", 1, 3}, "c": {"delayed", 2, 3}, "d": {"open", 1, 2}} {
			rec, err := r.Record(ws, id)
			if err != nil {
				return err
			}
			changes, err := r.Changes(ws, id, 2)
			if err != nil {
				return err
			}
			if rec.Status != want.status || rec.Definition != want.definition || rec.Version != want.version || rec.Fields["note"] != nil {
				t.Errorf("%s: %+v", id, rec)
			}
			if id == "d" {
				if len(changes) != 0 {
					t.Errorf("d: %+v", changes)
				}
				continue
			}
			if string(rec.Fields["remark"]) != `"n"` || rec.Edits["remark"].Author != "emma" {
				t.Errorf("%s: %+v", id, rec)
			}
			if len(changes) != 1 || !changes[0].Derived || changes[0].Author != "ada" || string(changes[0].Set["remark"]) != `"n"` || changes[0].Note != "converted to version 2" {
				t.Errorf("%s: %+v", id, changes)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if out := w.publish(next + "# again\n"); len(out.Problems) != 0 {
		t.Errorf("%+v", out)
	}
}

// Who judges is told where each version was published that renamed something; of
// one that is only tried, that it is not yet.
func TestConversionsHaveTheirPlace(t *testing.T) {
	w := newWorld(t)
	w.publish(source)
	renames := func(names string, to int) string {
		return fmt.Sprintf("  - {to: %d, type: task, rename: {%s}}\n", to, names)
	}
	second := strings.Replace(source, "note:", "remark:", 1) + "convert:\n" + renames("note: remark", 2)
	w.publish(second)
	w.publish(second + "# again\n")
	fourth := strings.Replace(second, "remark:", "word:", 1) + renames("remark: word", 4)
	places := func(app *definition.App) (out []int64) {
		for _, c := range app.Convert {
			out = append(out, c.Seq)
		}
		return out
	}
	next, now, said, err := w.Candidate(t.Context(), ws, wire.Publish{Source: fourth})
	if err != nil || next == nil {
		t.Fatal(said, err)
	}
	if is, was := places(next), places(now); !slices.Equal(is, []int64{2, 0}) || !slices.Equal(was, []int64{2}) {
		t.Errorf("before: %v, and %v as it is tried", was, is)
	}
	w.publish(fourth)
	app, err := w.Current(t.Context(), ws)
	if err != nil || !slices.Equal(places(app), []int64{2, 4}) {
		t.Errorf("%v %v", places(app), err)
	}
}
