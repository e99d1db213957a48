package inbox

import (
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
)

// devicePage is how many devices are read at a time.
const devicePage = 500

var operations = []landfall.Op{
	landfall.OpCreate, landfall.OpUpdate, landfall.OpTransition, landfall.OpDelete, landfall.OpRestore,
	landfall.OpMergeInto, landfall.OpWithdraw, landfall.OpVoid, landfall.OpLost,
}

// resolve checks the names in a filter, and puts in what they stand for. It goes
// by what the reader may see alone.
func (v *viewer) resolve(f *store.ItemFilter) error {
	for _, check := range []func(*store.ItemFilter) error{v.names, v.user, v.typ, v.deviceID, v.recordID} {
		if err := check(f); err != nil {
			return err
		}
	}
	return nil
}

func (v *viewer) names(f *store.ItemFilter) error {
	if err := among("state of inbox items", f.State, store.ItemStates); err != nil {
		return err
	}
	if err := among("kind of issues", f.Kind, landfall.Kinds); err != nil {
		return err
	}
	return among("operation", f.Op, operations)
}

// among refuses a name that is not one of these.
func among[T ~string](what string, name T, known []T) error {
	names := make([]string, len(known))
	for i, k := range known {
		if names[i] = string(k); k == name {
			return nil
		}
	}
	if name == "" {
		return nil
	}
	return definition.Unknown(landfall.CodeInvalid, what, string(name), names)
}

func (v *viewer) user(f *store.ItemFilter) error {
	if f.User == "" || f.User == v.actor.User {
		return nil
	}
	u, err := v.r.User(v.ws, f.User)
	if u != nil || err != nil {
		return err
	}
	var names []string
	if err := store.EachUser(v.r, v.ws, func(u *store.User) bool {
		names = append(names, u.Name)
		return true
	}); err != nil {
		return err
	}
	return definition.Unknown(landfall.CodeInvalid, "user", f.User, names)
}

// typ: a type of the definition, or one that the reader's items still have.
func (v *viewer) typ(f *store.ItemFilter) error {
	if f.Type == "" || f.Type == landfall.IssueType {
		return nil
	}
	app, err := v.in.cfg.Definitions.At(v.r, v.ws)
	if err != nil || app.Types[f.Type] != nil {
		return err
	}
	s := store.Scan[store.Item]{Page: store.Page{Limit: 1}, Most: 1}
	if !v.actor.Has(landfall.Administrator) {
		s.Of, s.Most = v.actor.User, v.in.most()
	}
	found, err := v.r.Search(v.ws, store.ItemFilter{Type: f.Type}, s)
	if err != nil || len(found.Rows) > 0 {
		return err
	}
	return definition.Unknown(landfall.CodeInvalid, "type", f.Type, app.Order)
}

// owner is whose things the reader may see: "" for everybody's.
func (v *viewer) owner() string {
	if v.actor.Has(landfall.Administrator) {
		return ""
	}
	return v.actor.User
}

// deviceID finds a device by its id, an unambiguous beginning of it, or its name.
// People at the desk have one that is called after them.
func (v *viewer) deviceID(f *store.ItemFilter) error {
	ref, owner := f.Replica, v.owner()
	if ref == "" || strings.HasPrefix(ref, deskPrefix) {
		return nil
	}
	rep, err := v.r.Replica(v.ws, ref)
	if err != nil || rep != nil && (owner == "" || rep.User == owner) {
		return err
	}
	var found, names []string
	for after, more := "", true; more; {
		rows, err := v.r.Replicas(v.ws, owner, store.Page{After: after, Limit: devicePage})
		if err != nil {
			return err
		}
		for _, d := range rows {
			after = d.ID
			if names = append(names, d.Name); d.Name == "" {
				names = names[:len(names)-1]
			}
			if strings.EqualFold(d.Name, ref) || len(ref) >= 4 && strings.HasPrefix(d.ID, ref) {
				found = append(found, d.ID)
			}
		}
		more = len(rows) == devicePage
	}
	switch len(found) {
	case 0:
		return definition.Unknown(landfall.CodeInvalid, "device", ref, names)
	case 1:
		f.Replica = found[0]
		return nil
	}
	return landfall.Errorf(landfall.CodeInvalid, "%d devices are meant by %q", len(found), ref).WithHint("write more of the id, or the user, too: landfall device list shows both")
}

// wholeID is how long the id of a record is.
const wholeID = 36

// recordID finds a record by its id, an unambiguous beginning of it, or its
// number; the last as long as the reader sees it. A record that never came to be
// is known by the items that name it.
func (v *viewer) recordID(f *store.ItemFilter) error {
	ref := f.Record
	if ref == "" || len(ref) >= wholeID {
		return nil
	}
	for _, number := range []string{ref, strings.ToUpper(ref)} {
		rec, err := v.r.RecordByNumber(v.ws, number)
		if err != nil {
			return err
		}
		if rec == nil {
			continue
		}
		if k, err := v.record(rec.ID); err != nil || k.sees {
			f.Record = rec.ID
			return err
		}
	}
	found, err := v.named(ref)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return landfall.Errorf(landfall.CodeNotFound, "nothing in the inbox is about a record %q, or you may not see it", ref).WithHint("write its id, the beginning of it, or its number")
	case len(found) == 1 || found[0] == ref:
		f.Record = found[0]
		return nil
	}
	return landfall.Errorf(landfall.CodeInvalid, "more than one record begins with %q", ref).WithHint("write more of the id")
}

// named are the records, one or two, that begin with ref and that the reader's
// items name, in order. Whoever sees their own alone has them looked through: how
// many others there are must not show.
func (v *viewer) named(ref string) (found []string, err error) {
	owner := v.owner()
	if owner == "" {
		return v.r.ItemRecords(v.ws, ref, 2)
	}
	_, err = v.r.Search(v.ws, store.ItemFilter{}, store.Scan[store.Item]{Page: store.Page{Limit: 1}, Most: v.in.most(), Of: owner, Pass: func(it *store.Item) (bool, error) {
		if strings.HasPrefix(it.Record, ref) && !slices.Contains(found, it.Record) {
			found = append(found, it.Record)
		}
		return false, nil
	}})
	slices.Sort(found)
	return found[:min(len(found), 2)], err
}
