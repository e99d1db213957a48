package publish

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// noted is a task with a note; an empty one has none.
func noted(id, note string) landfall.Record {
	r := task(id, "open")
	r.Definition = 1
	r.Fields["what"] = landfall.Value(`"w"`)
	if note != "" {
		r.Fields["note"] = landfall.Value(`"` + note + `"`)
	}
	return r
}

// holders are who holds the values in a field of tasks.
func (w *world) holders(field string, values ...string) string {
	w.t.Helper()
	var out []string
	err := w.store.View(w.t.Context(), func(r store.Reader) error {
		for _, v := range values {
			id, err := r.Unique(ws, "task", field, v)
			if err != nil {
				return err
			}
			out = append(out, id)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(out, ",")
}

var uniqueNote = strings.Replace(source, "note: {type: text}", "note: {type: text, unique: true}", 1)

// A field that becomes unique has the values that are there already; one that is
// not unique any more lets them go.
func TestUniqueFromNowOn(t *testing.T) {
	w := newWorld(t)
	w.publish(source)
	gone := noted("c", "one")
	gone.Deleted = true
	all := []landfall.Record{noted("a", "one"), noted("b", "two"), gone, noted("d", ""), noted("e", "")}
	for i := range 2 * chunk {
		all = append(all, noted(fmt.Sprintf("r%05d", i), fmt.Sprint("n", i)))
	}
	w.keep([]string{"all"}, all...)
	if out := w.publish(uniqueNote); out.Version != 2 {
		t.Fatal(text(out.Problems))
	}
	if got := w.holders("note", "one", "two", "n0", fmt.Sprint("n", 2*chunk-1)); got != fmt.Sprintf("a,b,r00000,r%05d", 2*chunk-1) {
		t.Error(got)
	}
	w.publish(source)
	if got := w.holders("note", "one", "two", "n0"); got != ",," {
		t.Error(got)
	}
	// What is held by mistake, of a time before, is in nobody's way.
	if err := w.store.Update(t.Context(), func(tx store.Writer) error {
		return tx.SetUnique(ws, "task", "b", map[string]string{"note": "one"})
	}); err != nil {
		t.Fatal(err)
	}
	if out := w.publish(uniqueNote); out.Version != 4 || w.holders("note", "one", "two") != "a,b" {
		t.Error(text(out.Problems), w.holders("note", "one", "two"))
	}
}

// Where records share a value the field can't be unique, and nothing at all of the
// definition is published. A dry run says the same; a check, which tells nothing of
// records, does not.
func TestUniqueIsRefusedWhereValuesAreShared(t *testing.T) {
	w := newWorld(t)
	w.publish(source)
	w.keep([]string{"all"}, noted("a", "one"), noted("b", "one"), noted("c", "one"), noted("d", "two"))
	next := strings.Replace(uniqueNote, "audience: [all]", "audience: [role:worker]", 1)
	before, rows := w.head(), w.rows()
	for _, dry := range []bool{true, false} {
		out, err := w.Publish(t.Context(), ws, admin, wire.Publish{Source: next, DryRun: dry})
		want := `app.yaml:4 warning=false the field task.note can't be unique: 2 of the records have a value there that another one has`
		if err != nil || !strings.Contains(text(out.Problems), want) || out.Version != 1 {
			t.Errorf("dry %t: version %d %s %v", dry, out.Version, text(out.Problems), err)
		}
	}
	if w.head() != before || w.rows() != rows || w.holders("note", "one", "two") != "," {
		t.Errorf("%+v\n%s\n%s", w.head(), w.rows(), w.holders("note", "one", "two"))
	}
	if out, err := w.Check(t.Context(), ws, wire.Publish{Source: next}); err != nil || refused(out.Problems) {
		t.Errorf("%+v %v", out, err)
	}
	if err := w.store.View(t.Context(), func(r store.Reader) error {
		list, err := r.Audit(ws, store.AuditFilter{Action: store.DefinitionPublish}, store.Page{Limit: 9})
		if len(list) != 1 {
			t.Errorf("%d publications", len(list))
		}
		d, err2 := r.Definition(ws, 2)
		if d != nil {
			t.Error("it is stored")
		}
		return errors.Join(err, err2)
	}); err != nil {
		t.Fatal(err)
	}
}

// A field that gets another name and becomes unique at once, where records share
// values and where they do not, and one that is unique already.
func TestUniqueUnderAnotherName(t *testing.T) {
	w := newWorld(t)
	w.publish(source)
	w.keep([]string{"all"}, noted("a", "one"), noted("b", "one"))
	next := strings.Replace(source, "note: {type: text}", "remark: {type: text, unique: true}", 1) + "convert:\n  - {to: 2, type: task, rename: {note: remark}}\n"
	for _, dry := range []bool{true, false} {
		out, err := w.Publish(t.Context(), ws, admin, wire.Publish{Source: next, DryRun: dry})
		if err != nil || !strings.Contains(text(out.Problems), `task.remark can't be unique: 1 of`) || out.Version != 1 {
			t.Errorf("dry %t: %+v %v", dry, out, err)
		}
	}
	w.keep([]string{"all"}, noted("b", "two"))
	if out := w.publish(next); out.Version != 2 || w.holders("remark", "one", "two") != "a,b" {
		t.Error(text(out.Problems), w.holders("remark", "one", "two"))
	}
	again := strings.Replace(next, "remark: {type", "label: {type", 1) + "  - {to: 3, type: task, rename: {remark: label}}\n"
	if out := w.publish(again); out.Version != 3 || w.holders("label", "one", "two") != "a,b" || w.holders("remark", "one", "two") != "," {
		t.Error(text(out.Problems), w.holders("label", "one", "two"), w.holders("remark", "one", "two"))
	}
}
