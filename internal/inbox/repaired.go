package inbox

import (
	"encoding/json"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// repairsOf adds to an item what was put in its place, with the values for who
// may see those of what was sent, and the record that it is about.
func (in *Inbox) repairsOf(r store.Reader, ws string, a *landfall.Actor, it *store.Item, out *wire.ItemView) error {
	done := map[string]bool{}
	for _, e := range it.History {
		if e.Issue == "" || done[e.Issue] {
			continue
		}
		done[e.Issue] = true
		row, err := r.Issue(ws, e.Issue)
		if err != nil {
			return err
		}
		for k := range row.Repairs {
			if p := &row.Repairs[k]; p.Of == it.Key {
				if err := in.repairOf(r, ws, a, it, p, out); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (in *Inbox) repairOf(r store.Reader, ws string, a *landfall.Actor, it *store.Item, p *store.Repair, out *wire.ItemView) error {
	was, now := in.reread(it).m, &landfall.Mutation{}
	if err := json.Unmarshal(p.Mutation, now); err != nil {
		return err
	}
	open := it.User == a.User
	if !open && !out.Hidden {
		keys, err := r.Audience(ws, now.ID)
		if err != nil {
			return err
		}
		open = core.Sees(a, keys)
	}
	v := wire.RepairView{By: p.By, At: p.At, Note: p.Note, N: p.Of.N, Fields: []wire.RepairedField{}}
	for _, name := range p.Fields {
		f := wire.RepairedField{Field: name}
		if open {
			f.Sent, f.Repaired = was.Set[name], now.Set[name]
		}
		v.Fields = append(v.Fields, f)
	}
	if open {
		v.Mutation = now
	}
	out.Repairs = append(out.Repairs, v)
	return nil
}
