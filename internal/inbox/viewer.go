package inbox

import (
	"encoding/json"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// viewer shows items to one reader, from one state. What many items have in
// common is read once.
type viewer struct {
	in      *Inbox
	r       store.Reader
	ws      string
	actor   landfall.Actor
	devices map[string]string // names
	records map[string]known
	app     *definition.App
	sight   *core.Sight // of what others sent; nil: not asked for yet
}

// known is what a reader may know of a record: nothing, unless they see it.
type known struct {
	number string
	there  bool // and not deleted
	sees   bool
}

func newViewer(in *Inbox, r store.Reader, ws string, actor landfall.Actor) *viewer {
	return &viewer{in: in, r: r, ws: ws, actor: actor, devices: map[string]string{}, records: map[string]known{}}
}

// record is what the reader may know of a record now.
func (v *viewer) record(id string) (known, error) {
	if k, ok := v.records[id]; ok || id == "" {
		return k, nil
	}
	number, keys, err := v.r.Known(v.ws, id)
	if err != nil {
		return known{}, err
	}
	k := known{there: len(keys) > 0, sees: core.Sees(&v.actor, keys)}
	if k.sees {
		k.number = number
	}
	v.records[id] = k
	return k, nil
}

func (v *viewer) device(id string) (string, error) {
	if name, ok := v.devices[id]; ok {
		return name, nil
	}
	rep, err := v.r.Replica(v.ws, id)
	if err != nil {
		return "", err
	}
	name := ""
	if rep != nil {
		name = rep.Name
	}
	v.devices[id] = name
	return name, nil
}

// show adds the item as the reader may see it.
func (v *viewer) show(it *store.Item, out *wire.List[wire.ItemView]) error {
	w, sight, err := v.view(it)
	if err != nil {
		return err
	}
	w.Mutation = v.mutation(it, sight)
	if w.Issue, err = v.issue(it); err != nil {
		return err
	}
	out.Items = append(out.Items, *w)
	return nil
}

// mutation is what the reader may read of what was sent; nil for nothing.
func (v *viewer) mutation(it *store.Item, sight *core.Sight) *landfall.Mutation {
	if sight == nil {
		return nil
	}
	x := v.in.reread(it)
	if x.bad != nil {
		return nil
	}
	if atDesk(it) && x.m.Base != nil {
		if rec, err := v.record(it.Record); err != nil || !rec.sees {
			x.m.Base.Status, x.m.Base.Was = "", nil
		}
	}
	return sight.Mutation(&x.m)
}

// atDesk: the change was made at the desk. What it is based on the server wrote down,
// and its author need not have seen that.
func atDesk(it *store.Item) bool { return strings.HasPrefix(it.Key.Replica, deskPrefix) }

// view is what the reader sees of the item, but for what is in more readable
// form what they see already: the mutation, and its issue. The sight is what they
// may read of what was sent; nil: nothing of it.
func (v *viewer) view(it *store.Item) (*wire.ItemView, *core.Sight, error) {
	device := it.Key.Replica
	w := &wire.ItemView{
		ID: it.Key.String(), User: it.User, Device: device, State: string(it.State), Op: it.Op, Type: it.Type, Record: it.Record,
		ReceivedAt: it.ReceivedAt, Outcome: it.Outcome,
		Kind: it.Kind(),
	}
	if it.Receipt.Result != "" {
		w.Receipt = &it.Receipt
	}
	for _, e := range it.History {
		w.History = append(w.History, wire.ItemEvent{At: e.At, State: string(e.State), By: e.By, Text: e.Text})
	}
	if c := it.Cleaned; c != nil {
		w.CleanedAt, w.EndedAt = &c.At, &c.Ended
	}
	var err error
	if w.DeviceName, err = v.device(device); err != nil {
		return nil, nil, err
	}
	rec, err := v.record(it.Record)
	if err != nil {
		return nil, nil, err
	}
	w.Number = rec.number
	unreadable := it.Receipt.Kind == landfall.KindMalformed && v.actor.Has(landfall.Administrator)
	if !unreadable && !rec.sees {
		may := it.User == v.actor.User
		if !may && !rec.there {
			if may, err = v.mayRead(it); err != nil {
				return nil, nil, err
			}
		}
		if w.Hidden = !may; w.Hidden {
			return w, nil, nil
		}
	}
	sight, err := v.sees(it)
	if err != nil {
		return nil, nil, err
	}
	based := atDesk(it) && !rec.sees // the old values in it are the server's
	if w.Hidden = !unreadable && (based || len(sight.Hidden(it.Type)) > 0); !w.Hidden && it.Cleaned == nil {
		w.Sent, w.Hash = string(it.Bytes), it.Hash
	}
	return w, sight, nil
}

// mayRead reports whether the reader may see an item of a record that they do not
// see: their own; of a record that is deleted or was never made, who could if it
// were there. What no type of the definition describes is the administrators'.
func (v *viewer) mayRead(it *store.Item) (bool, error) {
	if it.User == v.actor.User {
		return true, nil
	}
	x := v.in.reread(it)
	if _, err := v.reads(); x.bad != nil || x.m.ID == "" || v.app == nil || err != nil {
		return false, err
	}
	rec, err := v.r.Record(v.ws, x.m.ID)
	if err != nil || rec != nil && !rec.Deleted {
		return false, err
	}
	keys, known, err := core.AudienceIf(v.app, rec, it.User, &x.m, store.Audiences(v.r, v.ws))
	if !known {
		return v.actor.Has(landfall.Administrator), err
	}
	return core.Sees(&v.actor, keys), err
}

// sees is what the reader may read of what the item holds: all of it, if it is
// what they sent themselves.
func (v *viewer) sees(it *store.Item) (*core.Sight, error) {
	if it.User == v.actor.User {
		return core.SightOf(nil, &v.actor), nil
	}
	return v.reads()
}

// reads is what the reader may read of what they did not enter.
func (v *viewer) reads() (*core.Sight, error) {
	if v.sight != nil {
		return v.sight, nil
	}
	head, err := v.r.Head(v.ws)
	if err != nil || head == nil || head.Definition == 0 {
		return core.SightOf(nil, &v.actor), err
	}
	app, err := v.in.cfg.Definitions.At(v.r, v.ws)
	if err != nil {
		return nil, err
	}
	v.app, v.sight = app, core.SightOf(app, &v.actor)
	return v.sight, nil
}

// issue is the issue that the item belongs to or waits in: the one that holds it
// now, or the last that did.
func (v *viewer) issue(it *store.Item) (*wire.ItemIssue, error) {
	id := it.Holder
	if id == "" && it.Outcome != nil {
		id = it.Outcome.Issue
	}
	if id == "" {
		id = it.Receipt.Issue
	}
	if id == "" {
		return nil, nil
	}
	row, err := v.r.Issue(v.ws, id)
	if row == nil || err != nil {
		return nil, err
	}
	return &wire.ItemIssue{ID: id, Number: row.Issue.Number, State: row.Issue.State, Waits: it.Holder != "" && it.State == store.Queued}, nil
}

// says reports whether the text is part of what the reader sees of the item: of
// nothing else, so that a search tells no more than the item does.
func (v *viewer) says(it *store.Item, text string) (bool, error) {
	w, sight, err := v.view(it)
	if err != nil {
		return false, err
	}
	part := ""
	if m := v.mutation(it, sight); m != nil && w.Sent == "" {
		b, err := json.Marshal(m)
		if err != nil {
			return false, err
		}
		part = string(b)
	}
	all := append(make([]string, 0, 24), w.ID, w.User, w.DeviceName, string(w.Op), w.Type, w.Record, w.Number, string(w.Kind), w.Sent, part)
	if r := w.Receipt; r != nil {
		all = append(all, r.Note)
		for i := range r.Messages {
			m := &r.Messages[i]
			all = append(all, m.Code, m.Field, m.Text, m.Hint)
		}
	}
	if o := w.Outcome; o != nil {
		all = append(all, string(o.Settlement))
	}
	for i := range w.History {
		all = append(all, w.History[i].By, w.History[i].Text)
	}
	return store.HasText(text, all...), nil
}
