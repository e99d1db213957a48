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
func (v *viewer) repairsOf(it *store.Item, out *wire.ItemView) error {
	done := map[string]bool{}
	for _, e := range it.History {
		if e.Issue == "" || done[e.Issue] {
			continue
		}
		done[e.Issue] = true
		row, err := v.r.Issue(v.ws, e.Issue)
		if err != nil {
			return err
		}
		for k := range row.Repairs {
			if p := &row.Repairs[k]; p.Of == it.Key {
				if err := v.repairOf(it, p, out); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (v *viewer) repairOf(it *store.Item, p *store.Repair, out *wire.ItemView) error {
	was, now := v.in.reread(it).m, &landfall.Mutation{}
	if err := json.Unmarshal(p.Mutation, now); err != nil {
		return err
	}
	own := it.User == v.actor.User
	open := own
	if !open {
		keys, err := v.r.Audience(v.ws, now.ID)
		if err != nil {
			return err
		}
		if open = core.Sees(&v.actor, keys); !open {
			if open, err = v.mayRead(it); err != nil {
				return err
			}
		}
	}
	sight, err := v.reads()
	if err != nil {
		return err
	}
	shown := wire.RepairView{By: p.By, At: p.At, Note: p.Note, N: p.Of.N, Fields: []wire.RepairedField{}}
	for _, name := range p.Fields {
		f := wire.RepairedField{Field: name}
		hidden := sight.Hides(now.Type, name)
		if open && (own || !hidden) {
			f.Sent = was.Set[name] // which its author entered
		}
		if open && !hidden {
			f.Repaired = now.Set[name]
		}
		shown.Fields = append(shown.Fields, f)
	}
	if open {
		shown.Mutation = sight.Mutation(now)
	}
	out.Repairs = append(out.Repairs, shown)
	return nil
}
