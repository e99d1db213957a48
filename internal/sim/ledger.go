package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// ledger is what the world knows was entered, and what it was told became of it,
// whatever the program says of itself.
type ledger struct {
	made     []*entered
	by       map[string]*entered // by content
	receipts map[string]string   // by epoch, key and hash: the first final one
}

// entered is one mutation as its user made it. Its number and base may change
// when a device starts a new incarnation; its content never does.
type entered struct {
	d       *device
	content string
	what    string
	base    copied // of the record that it was based on, as far as it was pulled
	// excused says why it need not be on the server in the end.
	excused string
	wiped   bool // its device has erased itself
}

// copied is a version of a record that a device was sent, and of which history.
type copied struct {
	version int64
	epoch   int
}

func content(raw []byte) (string, *landfall.Mutation) {
	var m landfall.Mutation
	if json.Unmarshal(raw, &m) != nil {
		return "", nil
	}
	return string(encoded([]any{m.Op, m.Type, m.ID, m.Set, m.Transition, m.Issue, m.MadeAt})), &m
}

func hashOf(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// keys are the bytes in the outbox, by incarnation and number.
func (d *device) keys() map[[2]int64][]byte {
	out := map[[2]int64][]byte{}
	for _, e := range d.entries() {
		out[[2]int64{e.Incarnation, e.N}] = e.Bytes
	}
	return out
}

// noteMade enters what a user has just made into the ledger, and what they took
// back before it was sent: what is durable of it.
func (d *device) noteMade() {
	l, before := &d.w.ledger, d.acting
	if before == nil {
		return
	}
	d.acting = nil
	for _, e := range d.entries() {
		old, there := before[[2]int64{e.Incarnation, e.N}]
		id, m := content(e.Bytes)
		switch {
		case m == nil:
			d.w.violate("ledger", "%s: what it made as %d can't be read", d.name, e.N)
		case !there:
			d.given = max(d.given, e.N)
			if l.by[id] != nil {
				continue // the same, made in the same instant
			}
			x := &entered{d: d, content: id, what: fmt.Sprintf("%s's %d.%d: %s %s %s", d.name, e.Incarnation, e.N, m.Op, m.Type, short(m.ID))}
			if b := d.pulled[m.ID]; m.Base != nil && b.version == m.Base.Version {
				x.base = b
			}
			l.made = append(l.made, x)
			l.by[id] = x
		case string(old) != string(e.Bytes):
			if id, _ := content(old); l.by[id] != nil {
				l.by[id].excused = "taken back before it was sent"
			}
			d.w.met("device: void")
			if e.State != "pending" {
				d.w.violate("bytes", "%s: change %d.%d was sent, and its bytes have changed", d.name, e.Incarnation, e.N)
			}
		}
		if e.Reverted && l.by[id] != nil {
			l.by[id].excused = "withdrawn"
		}
	}
}

// forgotten: what is on a storage that is lost need not arrive any more.
func (d *device) forgotten(why string) {
	for _, e := range d.entries() {
		if id, _ := content(e.Bytes); d.w.ledger.by[id] != nil {
			d.w.ledger.by[id].excused = why
		}
	}
}

// acknowledged checks a reply to a push as it reaches its device: a receipt is
// the same for ever, and what has one is on the server's disk.
func (w *world) acknowledged(d *device, p *wire.Push, reply *wire.PushReply) {
	if reply.Gap {
		w.met("push: gap")
	}
	if reply.Forked {
		w.met("push: forked")
		// What its user took back goes out as void to a server that was restored to
		// before it: a copy of what was sent at first may still be under way.
		if !d.tampered && (!d.tookBack || d.line.epoch == 0) {
			w.violate("fork", "%s is told that it forked, and nobody copied it or put it back", d.name)
		}
	}
	w.receipts(d.name, d.line.epoch, p, reply)
}

// receipts: each is the same for ever, in one history of the server.
func (w *world) receipts(who string, epoch int, p *wire.Push, reply *wire.PushReply) {
	for _, r := range reply.Receipts {
		i := r.N - p.First
		if i < 0 || i >= int64(len(p.Mutations)) {
			w.violate("receipt", "%s gets a receipt for %d, and sent %d of them from %d", who, r.N, len(p.Mutations), p.First)
			continue
		}
		w.met("receipt: " + string(r.Result) + " " + string(r.Kind))
		if r.Waiting {
			w.met("receipt: waits in a lane")
		}
		hash := hashOf(p.Mutations[i])
		if r.Result == landfall.Stored {
			continue
		}
		at := fmt.Sprintf("%d %s.%d.%d %s", epoch, p.Replica, p.Incarnation, r.N, hash)
		if w.isCleaned(landfall.Key{Replica: p.Replica, Incarnation: p.Incarnation, N: r.N}) {
			w.met("push: a cleaned item's number is replayed")
		}
		r.Messages = nil // clean-up takes them
		b := encoded(r)
		switch known := w.ledger.receipts[at]; {
		case known == "":
			w.ledger.receipts[at] = string(b)
		case known != string(b):
			w.violate("receipt", "%s: the receipt of %d.%d was %s and is %s", who, p.Incarnation, r.N, known, b)
		default:
			w.met("push: replayed")
		}
	}
}

// onDisk are the items that a start of the server would find.
func (h *host) onDisk() (all []*store.Item) {
	h.read(func(r store.Reader) (err error) {
		all, err = r.Items(workspace, store.ItemFilter{}, store.Page{Limit: 1 << 20})
		return err
	})
	return all
}

// conserved checks that all that was made is somewhere: on the server, captured
// or judged, or on its device still.
func (w *world) conserved(when string) {
	there, times := map[string]bool{}, map[string]int{}
	for _, it := range w.host.onDisk() {
		id, m := content(w.sentAs(it))
		if m == nil {
			continue
		}
		there[id] = true
		w.genuine(it, m, w.ledger.by[id])
		if took(it) && effective(m.Op) {
			times[id]++
		}
	}
	for _, p := range w.host.pushes() {
		var push wire.Push
		if json.Unmarshal(p.Body, &push) != nil {
			continue
		}
		for _, raw := range push.Mutations {
			id, _ := content(raw)
			there[id] = true
		}
	}
	for _, d := range w.devices {
		for _, e := range d.entries() {
			id, _ := content(e.Bytes)
			there[id] = true
		}
	}
	if w.host.up {
		w.accounts(when)
	}
	for _, x := range w.ledger.made {
		if !there[x.content] && x.excused == "" {
			w.violate("lost", "%s: %s is nowhere", when, x.what)
		}
		if times[x.content] > 1 {
			w.violate("twice", "%s: %s took effect %d times", when, x.what, times[x.content])
		}
	}
}

// genuine: nothing is declared lost that is there, and no version counts that is
// of a history which was lost.
func (w *world) genuine(it *store.Item, m *landfall.Mutation, x *entered) {
	if m.Op == landfall.OpLost {
		for _, d := range w.devices {
			if !d.tampered && d.replica() == it.Key.Replica {
				w.violate("lost", "%s declares %d.%d lost, and nothing was taken from it", d.name, it.Key.Incarnation, it.Key.N)
			}
		}
	}
	if x == nil || x.d.tampered || x.base.version == 0 || it.Unbased || it.Key.Incarnation < 0 {
		return
	}
	for _, cut := range w.host.cuts[x.base.epoch:] {
		if x.base.version > cut {
			w.violate("base", "%s is based on %d of a history that was lost at %d, and is taken to be of this one", x.what, x.base.version, cut)
			return
		}
	}
}

// took: the mutation itself took effect.
func took(it *store.Item) bool {
	if it.Outcome != nil {
		switch it.Outcome.Settlement {
		case landfall.SettledApplied, landfall.SettledMerged, landfall.SettledAmended:
			return true
		}
		return false
	}
	return it.Receipt.Result == landfall.Applied && it.Receipt.Note == ""
}

func effective(op landfall.Op) bool {
	return op == landfall.OpCreate || op == landfall.OpUpdate || op == landfall.OpTransition || op == landfall.OpDelete
}

// sentAs is an item as it was sent, also when it was cleaned.
func (w *world) sentAs(it *store.Item) []byte {
	if len(it.Bytes) == 0 {
		if known := w.model.Item(it.Key); known != nil {
			return known.Sent
		}
	}
	return it.Bytes
}

func (w *world) isCleaned(k landfall.Key) bool {
	it := w.model.Item(k)
	return it != nil && it.Cleaned != nil
}
