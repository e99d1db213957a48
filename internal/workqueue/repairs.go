package workqueue

import (
	"encoding/json"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// history adds what was done about the issue: repairs, with their values for who
// may see every field of them, and the tries of the server itself.
func (v *view) history(row *store.IssueRow, out *wire.IssueDetail) error {
	for k := range row.Repairs {
		w, err := v.repairView(row, &row.Repairs[k])
		if err != nil {
			return err
		}
		out.Repairs = append(out.Repairs, *w)
	}
	for _, t := range row.Tried {
		out.Tried = append(out.Tried, wire.Try{At: t.At, Why: t.Why, Kind: t.Kind})
	}
	if !row.Next.IsZero() {
		next := row.Next
		out.NextTry = &next
	}
	return nil
}

func (v *view) repairView(row *store.IssueRow, p *store.Repair) (*wire.RepairView, error) {
	i := &row.Issue
	out := &wire.RepairView{By: p.By, At: p.At, Note: p.Note, N: p.Of.N, Fields: []wire.RepairedField{}}
	now := &landfall.Mutation{}
	if err := json.Unmarshal(p.Mutation, now); err != nil {
		return nil, err
	}
	was := &landfall.Mutation{}
	if it, err := v.r.Item(v.ws, p.Of); err != nil {
		return nil, err
	} else if it != nil {
		if m := read(it.Bytes, it.Key.Replica, it.Key.Incarnation); m != nil {
			was = m
		}
	}
	open, err := v.mayReadAll(i, was, now)
	if err != nil {
		return nil, err
	}
	for _, name := range p.Fields {
		f := wire.RepairedField{Field: name}
		hidden := v.sight.Hides(now.Type, name)
		if open && (!hidden || i.Author == v.who.User) {
			f.Sent = was.Set[name] // which its author entered
		}
		if open && !hidden {
			f.Repaired = now.Set[name]
		}
		out.Fields = append(out.Fields, f)
	}
	if open {
		out.Mutation = v.sight.Mutation(now)
	}
	return out, nil
}

// mayReadAll reports whether the caller may see every field of the mutations. What
// could not be read may hold anything.
func (v *view) mayReadAll(i *landfall.Issue, all ...*landfall.Mutation) (bool, error) {
	if i.Author == v.who.User {
		return true, nil
	}
	for _, m := range all {
		if m.ID == "" {
			if !v.who.Has(landfall.Administrator) {
				return false, nil
			}
			continue
		}
		if ok, err := v.mayRead(i, m); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}
