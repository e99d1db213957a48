package memory

import (
	"math"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/store"
)

// User implements store.Reader.
func (t *tx) User(ws, name string) (*store.User, error) {
	return get[store.User](t, kv.Key("user", ws, name))
}

// PutUser implements store.Writer.
func (t *tx) PutUser(ws string, u *store.User) error { return t.put(kv.Key("user", ws, u.Name), u) }

// Users implements store.Reader.
func (t *tx) Users(ws string, p store.Page) ([]*store.User, error) {
	return list[store.User](t.up(kv.Key("user", ws), kv.Key("user", ws, p.After)), p.Limit, nil)
}

// Teams implements store.Reader.
func (t *tx) Teams(ws string) (out []store.Team, err error) {
	for _, b := range t.up(kv.Key("team", ws), "") {
		team, err := store.Decode[store.Team](b)
		if err != nil {
			return nil, err
		}
		out = append(out, *team)
	}
	return out, nil
}

// PutTeam implements store.Writer.
func (t *tx) PutTeam(ws string, team store.Team) error {
	return t.put(kv.Key("team", ws, team.Name), &team)
}

// owned is a row that is found over all workspaces.
type owned[T any] struct {
	Workspace string
	Row       *T
}

func owner[T any](t *tx, row string) (string, *T, error) {
	o, err := get[owned[T]](t, row)
	if o == nil || err != nil {
		return "", nil, err
	}
	return o.Workspace, o.Row, nil
}

// Session implements store.Reader.
func (t *tx) Session(hash string) (string, *store.Session, error) {
	return owner[store.Session](t, kv.Key("session", hash))
}

// PutSession implements store.Writer.
func (t *tx) PutSession(ws string, s *store.Session) error {
	return t.put(kv.Key("session", s.Token), owned[store.Session]{ws, s})
}

// DeleteSession implements store.Writer.
func (t *tx) DeleteSession(hash string) error {
	t.kv.Delete(kv.Key("session", hash))
	return nil
}

// Code implements store.Reader.
func (t *tx) Code(hash string) (string, *store.Code, error) {
	return owner[store.Code](t, kv.Key("code", hash))
}

// PutCode implements store.Writer.
func (t *tx) PutCode(ws string, c *store.Code) error {
	return t.put(kv.Key("code", c.Hash), owned[store.Code]{ws, c})
}

// DeleteCode implements store.Writer.
func (t *tx) DeleteCode(hash string) error {
	t.kv.Delete(kv.Key("code", hash))
	return nil
}

// Replica implements store.Reader.
func (t *tx) Replica(ws, id string) (*store.Replica, error) {
	return get[store.Replica](t, kv.Key("replica", ws, id))
}

// PutReplica implements store.Writer.
func (t *tx) PutReplica(ws string, r *store.Replica) error {
	row := kv.Key("replica", ws, r.ID)
	leads := []string{kv.Key("replicas", ws, r.User, r.ID), kv.Key("contact", ws, kv.Number(r.ContactKey()), r.ID)}
	if r.Credential != "" {
		leads = append(leads, kv.Key("credential", r.Credential, ws, r.ID))
	}
	t.index(row, leads...)
	return t.put(row, r)
}

// Replicas implements store.Reader.
func (t *tx) Replicas(ws, user string, p store.Page) ([]*store.Replica, error) {
	if user == "" {
		return list[store.Replica](t.up(kv.Key("replica", ws), kv.Key("replica", ws, p.After)), p.Limit, nil)
	}
	return list[store.Replica](t.led(t.up(kv.Key("replicas", ws, user), kv.Key("replicas", ws, user, p.After))), p.Limit, nil)
}

// FindReplicas implements store.Reader.
func (t *tx) FindReplicas(ws string, f store.ReplicaFilter, p store.Page) ([]*store.Replica, error) {
	contact, id, err := f.ReadCursor(p.After)
	if err != nil {
		return nil, err
	}
	if !f.ByContact {
		return list(t.up(kv.Key("replica", ws), kv.Key("replica", ws, id)), p.Limit, f.MatchReplica)
	}
	after := ""
	if contact >= 0 {
		after = kv.Key("contact", ws, kv.Number(contact), id)
	}
	return list(t.led(t.up(kv.Key("contact", ws), after)), p.Limit, f.MatchReplica)
}

// Tally implements store.Reader.
func (t *tx) Tally(ws, replica string, incarnation int64) (store.Tally, error) {
	var out store.Tally
	opened := kv.Key("open", ws, replica)
	if incarnation > 0 {
		opened = kv.Key("open", ws, replica, kv.Number(incarnation))
	}
	all, err := list[store.Item](t.led(t.up(opened, "")), math.MaxInt, nil)
	for _, i := range all {
		if incarnation < 0 && i.Key.Incarnation >= 0 {
			continue
		}
		out.Open++
		if i.Op == landfall.OpLost {
			out.OpenLost++
		}
	}
	return out, err
}

// ReplicaByCredential implements store.Reader.
func (t *tx) ReplicaByCredential(hash string) (string, *store.Replica, error) {
	row := t.first(kv.Key("credential", hash))
	if row == "" {
		return "", nil, nil
	}
	r, err := get[store.Replica](t, row)
	return kv.Parts(row)[1], r, err
}
