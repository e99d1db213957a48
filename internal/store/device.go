package store

import (
	"cmp"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
)

// DeviceState is how a device stands, in one word.
type DeviceState string

// The states. All but Active and Retiring let a device hand in and nothing more.
const (
	Active   DeviceState = "active"
	Retiring DeviceState = "retiring" // it delivers what it has, and is blocked then
	Blocked  DeviceState = "blocked"
	Wiping   DeviceState = "wiping" // it is to hand in what it has, and to erase itself
	Wiped    DeviceState = "wiped"
	Revoked  DeviceState = "revoked" // its credential is void
)

// DeviceStates are all there are.
var DeviceStates = []DeviceState{Active, Retiring, Blocked, Wiping, Wiped, Revoked}

// State is the strongest word that holds for the replica.
func (r *Replica) State() DeviceState {
	switch {
	case !r.WipedAt.IsZero():
		return Wiped
	case r.Wiping:
		return Wiping
	case r.Void || r.Credential == "":
		return Revoked
	case r.Blocked:
		return Blocked
	case r.Retiring:
		return Retiring
	}
	return Active
}

// Deposits reports whether it may hand in, and receives nothing but receipts.
func (r *Replica) Deposits() bool {
	return r.Blocked || r.Void || r.Wiping || !r.WipedAt.IsZero()
}

// Order is what the replica's device is asked to do, or "". What still calls with
// the id of a device that has erased itself is a copy of it.
func (r *Replica) Order() string {
	switch {
	case r.Wiping, !r.WipedAt.IsZero():
		return OrderWipe
	case r.Retiring:
		return OrderRetire
	}
	return ""
}

// What a device can be asked to do.
const (
	OrderRetire = "retire" // deliver all, and take in nothing new
	OrderWipe   = "wipe"   // hand in all, and erase what is there
)

// Past is an incarnation that was left for another.
type Past struct {
	Incarnation int64
	Received    int64 // its last number
	Missing     int64 `json:",omitempty"` // numbers after it that were reported and never came
}

// What a Mishap can be.
const (
	MishapFork     = "fork"     // two histories of an incarnation: a copied or restored device
	MishapRestored = "restored" // the device has forgotten numbers that it had sent
	MishapLost     = "lost"     // the device has declared numbers lost
	MishapEvicted  = "evicted"  // it came back without what it had reported
)

// Mishap is a loss, or what may be one, that was found at a device.
type Mishap struct {
	At          time.Time
	What        string
	Incarnation int64
	From, To    int64     // numbers that it is about
	Reported    time.Time `json:",omitzero"`  // when the device told of them
	Due         bool      `json:",omitempty"` // its issue is still to be opened
}

// mostMishaps bounds what is kept of them one by one; the counts go on.
const mostMishaps = 50

// Found keeps a mishap. Numbers lost one after the other are one.
func (r *Replica) Found(m Mishap) {
	all := append([]Mishap(nil), r.Mishaps...)
	if n := len(all); n > 0 && m.What == MishapLost {
		if last := &all[n-1]; last.What == m.What && last.Incarnation == m.Incarnation && last.To+1 == m.From {
			last.To = m.To
			r.Mishaps = all
			return
		}
	}
	all = append(all, m)
	for len(all) > mostMishaps {
		drop := 0
		for drop < len(all)-1 && all[drop].Due {
			drop++ // what is still to be done is never forgotten
		}
		all = append(all[:drop], all[drop+1:]...)
	}
	r.Mishaps = all
}

// mostPast bounds the incarnations that are accounted for.
const mostPast = 1000

// Leave ends the current incarnation for a later one.
func (r *Replica) Leave(next int64) {
	r.Past = append(append([]Past(nil), r.Past...), Past{Incarnation: r.Incarnation, Received: r.Next - 1})
	if len(r.Past) > mostPast {
		r.Lost = maps.Clone(r.Lost)
		delete(r.Lost, r.Past[0].Incarnation)
		r.Past = r.Past[1:]
	}
	r.Incarnation, r.Next, r.LastHash = next, 1, ""
	if r.MadeIn != next {
		r.Made, r.MadeIn = 0, 0
	}
}

// Waits is how many numbers of its newest incarnation the device reported that
// are not here, with the incarnation and the number before them.
func (r *Replica) Waits() (n, incarnation, after int64) {
	switch {
	case r.MadeIn > r.Incarnation:
		return r.Made, r.MadeIn, 0
	case r.MadeIn == r.Incarnation:
		return max(0, r.Made-r.Next+1), r.Incarnation, r.Next - 1
	}
	return int64(r.Waiting), r.Incarnation, r.Next - 1 // it tells no numbers
}

// AddLost counts numbers of an incarnation as lost.
func (r *Replica) AddLost(incarnation, n int64) {
	r.Lost = maps.Clone(r.Lost)
	if r.Lost == nil {
		r.Lost = map[int64]int64{}
	}
	r.Lost[incarnation] += n
}

// contactGrain is how exactly devices are listed by their last contact, so that
// a device that calls often does not move in the index each time.
const contactGrain = 15 * time.Minute

// ContactKey is the place of the replica in the order of last contacts.
func (r *Replica) ContactKey() int64 { return contactKey(r.LastContact) }

func contactKey(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.Unix() / int64(contactGrain/time.Second)
}

// ReplicaFilter narrows a list of devices. Empty fields do not narrow.
type ReplicaFilter struct {
	User  string
	State DeviceState
	// Silent: no contact since then.
	Silent time.Time
	// ByContact lists those first that were silent longest, to a quarter of an
	// hour; without it the list is by id.
	ByContact bool
}

// MatchReplica reports whether the replica passes the filter.
func (f *ReplicaFilter) MatchReplica(r *Replica) bool {
	return (f.User == "" || f.User == r.User) && (f.State == "" || f.State == r.State()) &&
		(f.Silent.IsZero() || r.LastContact.Before(f.Silent))
}

// LastKey is the last place in the order of contacts that can pass the filter.
func (f *ReplicaFilter) LastKey() int64 {
	if f.Silent.IsZero() {
		return 1 << 60
	}
	return contactKey(f.Silent)
}

// ReplicaCursor is where a list goes on after the replica.
func (f *ReplicaFilter) ReplicaCursor(r *Replica) string {
	if !f.ByContact {
		return r.ID
	}
	return fmt.Sprintf("%d.%s", r.ContactKey(), r.ID)
}

// ReadCursor reads what ReplicaCursor wrote; "" is the beginning.
func (f *ReplicaFilter) ReadCursor(after string) (contact int64, id string, err error) {
	if !f.ByContact {
		return 0, after, nil
	}
	if after == "" {
		return -1, "", nil
	}
	key, id, ok := strings.Cut(after, ".")
	n, err := strconv.ParseInt(key, 10, 64)
	if !ok || err != nil || n < 0 {
		return 0, "", landfall.Errorf(landfall.CodeInvalid, "this is not where a list of devices can go on").WithHint("use what the last page gave as next, with the same order")
	}
	return n, id, nil
}

// CompareContact orders by last contact, then by id.
func CompareContact(a, b *Replica) int {
	return cmp.Or(cmp.Compare(a.ContactKey(), b.ContactKey()), cmp.Compare(a.ID, b.ID))
}

// Tally counts the items of an incarnation that are open.
type Tally struct {
	Open     int64 // in issues, or waiting in one
	OpenLost int64 // of these, declared lost
}

// Forks stands for all incarnations in which forks are kept.
const Forks = -1

// Devices reads devices.
type Devices interface {
	// ReplicaByCredential looks up by hash, over all workspaces: the credential
	// names its workspace. Void ones are found, too.
	ReplicaByCredential(hash string) (ws string, r *Replica, err error)
	Replica(ws, id string) (*Replica, error)
	Replicas(ws, user string, p Page) ([]*Replica, error) // by id; user "" for all
	// FindReplicas lists those that pass; the cursor is the filter's ReplicaCursor.
	FindReplicas(ws string, f ReplicaFilter, p Page) ([]*Replica, error)
	// Tally counts by index: it costs what is open, not what was ever received.
	Tally(ws, replica string, incarnation int64) (Tally, error)
}

// Report is what a device tells of itself, with a push or with a pull.
type Report struct {
	Clock       time.Time // the device's
	Incarnation int64
	Made        int64     // the last number that it gave in it
	Waiting     int       // outbox size
	Oldest      time.Time // when the oldest of these was made, by its clock
	Definition  int64
	Client      string
	Obeys       string // the order that it knows of
}

// late is how much earlier than the last one a report is that was only long
// under way; a clock that says less was set back.
const late = 10 * time.Minute

// Reports takes a report in that arrived at a time. It says whether the device
// is blocked by it, since it has delivered all that it was asked for.
func (r *Replica) Reports(p Report, arrived time.Time) (retired bool) {
	if ago := r.Told.Sub(p.Clock); !r.Told.IsZero() && ago > 0 && ago < late {
		return false
	}
	if !p.Clock.IsZero() {
		r.Skew, r.Told = p.Clock.Sub(arrived), p.Clock
	}
	r.Waiting, r.Oldest, r.Reported = max(0, p.Waiting), p.Oldest, arrived
	r.Client, r.Definition = p.Client, p.Definition
	if p.Incarnation == r.Incarnation {
		r.forgot(p.Made, arrived)
	}
	if p.Incarnation == r.Incarnation || p.Incarnation == r.Incarnation+1 {
		r.Made, r.MadeIn = max(0, p.Made), p.Incarnation
	}
	if p.Obeys != OrderRetire || !r.Retiring || r.Blocked || r.Waiting > 0 {
		return false
	}
	r.Blocked = true
	return true
}

// forgot finds a device that has no memory of what it sent: an old copy of its
// folder was put in place. It is found once.
func (r *Replica) forgot(made int64, at time.Time) {
	if made >= r.Next-1 {
		return
	}
	for _, m := range r.Mishaps {
		if m.What == MishapRestored && m.Incarnation == r.Incarnation && m.To >= r.Next-1 {
			return
		}
	}
	r.Found(Mishap{At: at, What: MishapRestored, Incarnation: r.Incarnation, From: made + 1, To: r.Next - 1})
}

// Names of the counters of full syncs that were asked for: the last one of all,
// and, by its number, the last one of each kind.
const (
	resyncs   = "full syncs"
	resyncAll = "full sync of all"
)

func resyncRole(role string) string { return "full sync of role:" + role }

// AskResync gives a full sync that is asked for its number. With a role it is for
// the devices of those who have it, with all for everybody's.
func AskResync(w Writer, ws, role string, all bool) (int64, error) {
	n, err := w.Counter(ws, resyncs)
	if err != nil {
		return 0, err
	}
	n++
	series := []string{resyncs}
	if all {
		series = append(series, resyncAll)
	}
	if role != "" {
		series = append(series, resyncRole(role))
	}
	for _, name := range series {
		if err := w.SetCounter(ws, name, n); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// ResyncDue is the number of the last full sync that was asked of a device of
// somebody with the roles; d may be nil. A device that has begun none since then
// begins one.
func ResyncDue(r Records, ws string, d *Replica, roles []string) (int64, error) {
	last, err := r.Counter(ws, resyncs)
	if err != nil || last == 0 {
		return 0, err
	}
	due, err := r.Counter(ws, resyncAll)
	if err != nil {
		return 0, err
	}
	if d != nil {
		due = max(due, d.Resync)
	}
	for _, role := range roles {
		n, err := r.Counter(ws, resyncRole(role))
		if err != nil {
			return 0, err
		}
		due = max(due, n)
	}
	return due, nil
}
