package doctor

import (
	"fmt"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
)

// records goes through all records and all their changes, side by side: both
// come in the order of ids, so that neither is missed.
func (w *workspace) records() error {
	ids, log := &idStream{w: w}, &logStream{w: w}
	for {
		id, more, err := ids.peek()
		if err != nil {
			return err
		}
		c, logged, err := log.peek()
		if err != nil {
			return err
		}
		if !more && !logged {
			return nil
		}
		stored := more && (!logged || id <= c.ID)
		if !stored {
			id = c.ID
		}
		if err := w.record(id, stored, log); err != nil {
			return err
		}
		if stored {
			ids.next()
		}
	}
}

// record checks one record with its history.
func (w *workspace) record(id string, stored bool, log *logStream) error {
	f := &folding{fields: landfall.Fields{}}
	for {
		c, more, err := log.peek()
		if err != nil {
			return err
		}
		if !more || c.ID != id {
			break
		}
		w.move(f, c)
		if err := w.origin(c); err != nil {
			return err
		}
		f.add(c)
		log.next()
	}
	if !stored {
		w.found(Commits, Finding{Record: id, What: fmt.Sprintf("it has a history of %d changes, but the record is not there", f.count)})
		return w.looked(Fold, "records", 1)
	}
	row, err := w.r.Row(w.ws, id)
	if err != nil || row == nil {
		w.found(Fold, Finding{Record: id, What: fmt.Sprintf("it can't be read: %v", err)})
		return w.looked(Fold, "records", 1)
	}
	r := row.Record
	w.results[Commits].Checked++
	if r.Version != f.version || r.Version > w.head.Seq {
		w.found(Commits, Finding{Record: id, What: fmt.Sprintf("its version is %d, the last change of its history is %d, the end of the sequence %d", r.Version, f.version, w.head.Seq)})
	}
	for _, what := range f.differences(r) {
		w.found(Fold, Finding{Record: id, What: what})
	}
	if err := w.audience(row); err != nil {
		return err
	}
	if err := w.valid(r); err != nil {
		return err
	}
	return w.looked(Fold, "records", 1)
}

// origin: a change that a mutation made belongs to an item that took effect
// there. A reopened issue may have been settled again later.
func (w *workspace) origin(c *landfall.Change) error {
	if c.Origin.N == 0 { // made at the desk, of which there is no item
		return nil
	}
	w.results[Commits].Checked++
	it, err := w.r.Item(w.ws, c.Origin)
	if err != nil {
		return err
	}
	var what string
	switch {
	case it == nil:
		what = "is not in the inbox"
	case it.Receipt.Result == landfall.Applied && it.Receipt.Seq != c.Seq:
		what = fmt.Sprintf("was applied at %d", it.Receipt.Seq)
	case it.Receipt.Result != landfall.Applied && (it.Outcome == nil || it.Outcome.Seq < c.Seq):
		what = "did not take effect there"
	default:
		return nil
	}
	w.found(Commits, Finding{Record: c.ID, Item: c.Origin.String(), What: fmt.Sprintf("the change at %d is of an item that %s", c.Seq, what)})
	return nil
}

// audience: the record is received by whom the definition in force says, and
// stands in their feeds and lists.
func (w *workspace) audience(row *store.Row) error {
	r := row.Record
	w.results[Audience].Checked++
	tell := func(what string) { w.found(Audience, Finding{Record: r.ID, What: what}) }
	if !w.rightKeys(row) {
		tell("its audience is not what the definition makes of it")
	}
	for _, key := range row.Keys {
		place, regrouped := row.Places[key]
		if !regrouped {
			place = r.Version
		}
		entered, err := w.r.Entered(w.ws, key, r.ID, place)
		if err != nil {
			return err
		}
		if !entered {
			tell(fmt.Sprintf("the feed of %s does not have it at %d, so that devices never get it", key, place))
		}
		listed, err := w.r.Keyed(w.ws, key, r.Type, r.ID+" ", 1) // the first that is not after it
		if err != nil {
			return err
		}
		if !slices.Contains(listed, r.ID) {
			tell(fmt.Sprintf("it is not listed under %s", key))
		}
	}
	return nil
}

func (w *workspace) rightKeys(row *store.Row) bool {
	r := row.Record
	if r.Type == landfall.IssueType {
		i, err := landfall.IssueOf(r)
		if err != nil {
			return false
		}
		app, err := w.apps.at(w.head.Definition)
		return err != nil || slices.Equal(row.Keys, core.IssueAudience(app, i.Author, i.Queue, i.Assigned()))
	}
	app, err := w.apps.latest(r.Type)
	if err != nil {
		return true // of which the check of validity tells
	}
	keys, err := core.Audience(app, r, func(_, id string) ([]string, error) {
		of, err := w.r.Row(w.ws, id)
		if of == nil {
			return nil, err
		}
		return of.Keys, err
	})
	return err == nil && slices.Equal(row.Keys, keys) && w.rightLinks(app, r)
}

// rightLinks: the record is found from what it is seen through.
func (w *workspace) rightLinks(app *definition.App, r *landfall.Record) bool {
	for _, l := range core.Links(app.Types[r.Type], r) {
		found, err := w.r.Referrers(w.ws, l.Target, r.Type, l.Field, before(r.ID), 1)
		if err != nil || !slices.Contains(found, r.ID) {
			return false
		}
	}
	return true
}

// before is behind all ids that come before an id.
func before(id string) string {
	if id == "" {
		return ""
	}
	return id[:len(id)-1] + string(id[len(id)-1]-1) + "\U0010ffff"
}

// idStream gives the ids of records in order.
type idStream struct {
	w     *workspace
	after string
	rows  []string
	ended bool
}

func (s *idStream) peek() (string, bool, error) {
	if len(s.rows) == 0 && !s.ended {
		rows, err := s.w.r.RecordIDs(s.w.ws, s.after, page)
		if err != nil {
			return "", false, err
		}
		s.rows, s.ended = rows, len(rows) < page
	}
	if len(s.rows) == 0 {
		return "", false, nil
	}
	return s.rows[0], true, nil
}

func (s *idStream) next() { s.after, s.rows = s.rows[0], s.rows[1:] }

// logStream gives the changes of all records in order.
type logStream struct {
	w     *workspace
	after store.Place
	rows  []landfall.Change
	ended bool
}

func (s *logStream) peek() (*landfall.Change, bool, error) {
	if len(s.rows) == 0 && !s.ended {
		rows, err := s.w.r.Log(s.w.ws, s.after, page)
		if err != nil {
			return nil, false, err
		}
		s.rows, s.ended = rows, len(rows) < page
		if err := s.w.ctx.Err(); err != nil {
			return nil, false, err
		}
	}
	if len(s.rows) == 0 {
		return nil, false, nil
	}
	return &s.rows[0], true, nil
}

func (s *logStream) next() { s.after, s.rows = store.PlaceOf(&s.rows[0]), s.rows[1:] }
