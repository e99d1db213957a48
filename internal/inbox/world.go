package inbox

import (
	"errors"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// world is what the rules may look at: the transaction itself, so that every
// verdict is made on the latest state, the verdicts before it included.
type world struct {
	r     store.Reader
	ws    string
	until time.Time // when judging has taken too long
	now   func() time.Time
}

// errOverrun ends the judging of a mutation that takes too long. The rules look
// at the world again and again, and each condition is bounded by itself, so this
// is where time is watched.
var errOverrun = errors.New("judging took too long")

func (j *judging) world() world {
	return world{j.w, j.ws, j.in.cfg.Clock().Add(j.in.cfg.JudgeTime), j.in.cfg.Clock}
}

func (w world) overrun() error {
	if w.now().After(w.until) {
		return errOverrun
	}
	return nil
}

func (w world) Record(id string) (*landfall.Record, error) {
	if err := w.overrun(); err != nil {
		return nil, err
	}
	return w.r.Record(w.ws, id)
}

func (w world) Changes(id string, after int64) ([]landfall.Change, error) {
	if err := w.overrun(); err != nil {
		return nil, err
	}
	return w.r.Changes(w.ws, id, after)
}

func (w world) Audience(id string) ([]string, error) { return w.r.Audience(w.ws, id) }

func (w world) Unique(typ, field, value string) (string, error) {
	return w.r.Unique(w.ws, typ, field, value)
}

func (w world) Referrers(target, typ, field, after string, limit int) ([]string, error) {
	if err := w.overrun(); err != nil {
		return nil, err
	}
	return w.r.Referrers(w.ws, target, typ, field, after, limit)
}

func (w world) Counter(series string) (int64, error) { return w.r.Counter(w.ws, series) }

func (w world) UserExists(name string) (bool, error) {
	u, err := w.r.User(w.ws, name)
	return u != nil, err
}

func (w world) TeamExists(name string) (bool, error) {
	teams, err := w.r.Teams(w.ws)
	for _, t := range teams {
		if t.Name == name {
			return true, err
		}
	}
	return false, err
}

func (w world) Holder(replica, record string) (string, error) {
	return w.holder(replica, record, func(*store.Item) bool { return true })
}

func (w world) CreationHolder(replica, record string) (string, error) {
	return w.holder(replica, record, func(i *store.Item) bool { return i.Op == landfall.OpCreate && i.Record == record })
}

// Older goes by the numbers: ids carry the server's clock, which may be put back.
func (w world) Older(issue, other string) (bool, error) {
	a, err := w.r.Issue(w.ws, issue)
	if err != nil {
		return false, err
	}
	b, err := w.r.Issue(w.ws, other)
	return a != nil && (b == nil || a.Issue.Number < b.Issue.Number), err
}

// holder is the earliest issue that holds such an item.
func (w world) holder(replica, record string, match func(*store.Item) bool) (string, error) {
	lane, err := w.r.Lane(w.ws, replica, record)
	earliest := ""
	for _, i := range lane {
		if !match(i) || i.Holder == earliest || err != nil {
			continue
		}
		older := earliest == ""
		if !older {
			older, err = w.Older(i.Holder, earliest)
		}
		if older {
			earliest = i.Holder
		}
	}
	return earliest, err
}
