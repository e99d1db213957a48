package inbox

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/wire"
)

// The codes of rows that an import refuses before they are judged.
const (
	codeBadID      = "bad_id"
	codeOtherState = "other_status"
	codeChanged    = "changed_meanwhile"
)

var recordID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// Import makes many records of a type what the rows say, each row judged on its
// own like a change at the desk, all in one transaction: a row is applied,
// unchanged or refused, and a refusal stores nothing and stops nobody else. The
// same call again finds everything unchanged. An unknown type is CodeInvalid.
func (in *Inbox) Import(ctx context.Context, ws string, actor landfall.Actor, typ string, req wire.Import) (*wire.Imported, error) {
	out := &wire.Imported{Rows: make([]wire.ImportedRow, 0, len(req.Rows))}
	err := in.judge(ctx, ws, func(j *judging) error {
		a, err := j.actor(actor.User)
		if err != nil {
			return err
		}
		t, err := j.importable(typ)
		if err != nil {
			return err
		}
		for i := range req.Rows {
			if err := ctx.Err(); err != nil {
				return err
			}
			done, err := j.importRow(a, t, &req.Rows[i])
			if err != nil {
				return err
			}
			done.Line = req.Rows[i].Line
			out.Rows = append(out.Rows, done)
		}
		if req.DryRun {
			return errDry
		}
		if e := importEntry(a.User, typ, out, j.l.Now()); e != nil {
			return j.w.AddAudit(ws, e)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDry) {
		return nil, err
	}
	return out, nil
}

func (j *judging) importable(typ string) (*definition.Type, error) {
	if t := j.app.Types[typ]; t != nil {
		return t, nil
	}
	return nil, definition.Unknown(landfall.CodeInvalid, "type", typ, j.app.Order)
}

func (j *judging) importRow(a landfall.Actor, t *definition.Type, row *wire.ImportRow) (wire.ImportedRow, error) {
	if !recordID.MatchString(row.ID) {
		return refusedRow(landfall.KindMalformed, codeBadID, "The id is not the id of a record.", "It looks like 0198c3ac-0000-7000-8000-000000000001; leave it out to create a record."), nil
	}
	rec, err := j.w.Record(j.ws, row.ID)
	if err != nil {
		return wire.ImportedRow{}, err
	}
	do := wire.Do{Op: landfall.OpCreate, Type: t.Name, ID: row.ID, Set: row.Set}
	sight := core.SightOf(j.app, &a)
	switch sees, err := j.seesRecord(&a, rec); {
	case err != nil:
		return wire.ImportedRow{}, err
	case sees && rec.Type == t.Name && !rec.Deleted:
		do.Op, do.Set = landfall.OpUpdate, differing(t, sight.Record(rec), row.Set)
		for name := range row.Set { // clearing what they can't see is asked for, too
			if sight.Hides(t.Name, name) {
				do.Set[name] = row.Set[name]
			}
		}
		if err := j.entered(rec, row); err != nil {
			return wire.ImportedRow{}, err
		}
		if done, ended := compared(t, rec, row, do.Set); ended {
			return done, nil
		}
	case sees:
		do.Op = landfall.OpUpdate // refused, and in its own words
	case rec != nil:
		if seq, err := j.createdBefore(&a, t, row); seq > 0 || err != nil {
			return wire.ImportedRow{Result: wire.ImportUnchanged, Version: seq}, err
		}
	default:
		if first := initial(t); row.Status != "" && row.Status != first {
			return otherStatus(t, first), nil
		}
	}
	return j.importOne(a, do)
}

// entered puts a row's version forward over what nobody entered since.
func (j *judging) entered(rec *landfall.Record, row *wire.ImportRow) error {
	if row.Version < 1 || row.Version >= rec.Version {
		return nil
	}
	since, err := j.w.Changes(j.ws, rec.ID, row.Version)
	if err == nil && !slices.ContainsFunc(since, func(c landfall.Change) bool { return !c.Derived }) {
		row.Version = rec.Version
	}
	return err
}

// importOne makes the change. Only what the rules refuse is the row's own
// trouble: nothing of it was stored.
func (j *judging) importOne(a landfall.Actor, do wire.Do) (wire.ImportedRow, error) {
	done, err := j.do(a, do)
	if err == nil {
		return wire.ImportedRow{Result: wire.ImportApplied, Version: done.Record.Version}, nil
	}
	e := (*landfall.Error)(nil)
	if !errors.As(err, &e) || e.Code != landfall.CodeRefused {
		return wire.ImportedRow{}, err
	}
	return wire.ImportedRow{Result: wire.ImportRefused, Kind: e.Kind, Messages: e.Messages}, nil
}

// compared ends a row that changes nothing, or that the record has moved away from.
func compared(t *definition.Type, rec *landfall.Record, row *wire.ImportRow, set landfall.Fields) (wire.ImportedRow, bool) {
	switch {
	case row.Status != "" && row.Status != rec.Status:
		return otherStatus(t, rec.Status), true
	case len(set) == 0:
		return wire.ImportedRow{Result: wire.ImportUnchanged, Version: rec.Version}, true
	case row.Version > 0 && row.Version != rec.Version:
		return refusedRow(landfall.KindField, codeChanged, t.Title+" was changed since the file was made.",
			"Export it again; or leave out the column version to write over what others did."), true
	}
	return wire.ImportedRow{}, false
}

// seesRecord tells as the rules do whether the actor may know of the record; of
// one that is deleted, whether they might have.
func (j *judging) seesRecord(a *landfall.Actor, rec *landfall.Record) (bool, error) {
	if rec == nil {
		return false, nil
	}
	if rec.Deleted {
		was := *rec
		was.Deleted = false
		keys, err := core.Audience(j.app, &was, func(_, id string) ([]string, error) { return j.w.Audience(j.ws, id) })
		return core.Sees(a, keys), err
	}
	keys, err := j.w.Audience(j.ws, rec.ID)
	return core.Sees(a, keys), err
}

// createdBefore is where the actor's own creation stands that the row repeats,
// or 0. Who creates a record need not receive it, and the same import again is
// to change nothing; of what became of the record since, the answer says nothing.
func (j *judging) createdBefore(a *landfall.Actor, t *definition.Type, row *wire.ImportRow) (int64, error) {
	changes, err := j.w.Changes(j.ws, row.ID, 0)
	if err != nil || len(changes) == 0 {
		return 0, err
	}
	c := &changes[0]
	if c.Action != landfall.Created || c.Author != a.User || c.Type != t.Name {
		return 0, nil
	}
	made, err := j.made(a, t, c)
	if err != nil || len(differing(t, made, row.Set)) > 0 {
		return 0, err
	}
	return c.Seq, nil
}

// made is what the actor's own creation made, as they may know it: of fields that
// they may not read, what they entered.
func (j *judging) made(a *landfall.Actor, t *definition.Type, c *landfall.Change) (*landfall.Record, error) {
	sight := core.SightOf(j.app, a)
	made := sight.Record(&landfall.Record{Type: t.Name, Fields: c.Set})
	if made.Fields == nil {
		made.Fields = landfall.Fields{}
	}
	if len(sight.Hidden(t.Name)) == 0 {
		return made, nil
	}
	it, err := j.w.Item(j.ws, c.Origin)
	if err != nil || it == nil {
		return made, err
	}
	entered := j.in.reread(it).m.Set
	for _, name := range sight.Hidden(t.Name) {
		if f := t.Fields[name]; f != nil {
			if v, bad := f.Canonical(entered[name]); bad == nil {
				made.Fields.Put(name, v)
			}
		}
	}
	return made, nil
}

// differing are the values that are not the record's already.
func differing(t *definition.Type, rec *landfall.Record, set landfall.Fields) landfall.Fields {
	out := landfall.Fields{}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		v := set[name]
		if f := t.Fields[name]; f != nil {
			if c, bad := f.Canonical(v); bad == nil {
				v = c
			}
		}
		if !landfall.SameValue(v, rec.Fields[name]) {
			out[name] = set[name]
		}
	}
	return out
}

func initial(t *definition.Type) string {
	if t.Lifecycle == nil {
		return ""
	}
	return t.Lifecycle.Initial
}

func otherStatus(t *definition.Type, is string) wire.ImportedRow {
	if t.Lifecycle == nil {
		return refusedRow(landfall.KindStatus, codeOtherState, t.Title+" has no status.", "Leave out the column status.")
	}
	return refusedRow(landfall.KindStatus, codeOtherState, "The status can't be set by an import; it is, or would be, "+is+".",
		"Leave out the column status, and move it afterwards: landfall record move.")
}

func refusedRow(kind landfall.Kind, code, text, hint string) wire.ImportedRow {
	return wire.ImportedRow{Result: wire.ImportRefused, Kind: kind, Messages: []landfall.Message{{Code: code, Text: text, Hint: hint}}}
}
