package memory

import (
	"slices"
	"strings"

	"github.com/landfall-sync/landfall/internal/store"
)

// User implements store.Reader.
func (t *tx) User(ws, name string) (*store.User, error) {
	return get[store.User](t.db.users, [2]string{ws, name})
}

// PutUser implements store.Writer.
func (t *tx) PutUser(ws string, u *store.User) error {
	return put(t, t.db.users, [2]string{ws, u.Name}, u)
}

// Users implements store.Reader.
func (t *tx) Users(ws string, p store.Page) ([]*store.User, error) {
	rows, err := rowsOf[store.User](ws, t.db.users)
	return page(rows, p, func(a, b *store.User) int { return strings.Compare(a.Name, b.Name) },
		func(u *store.User) bool { return u.Name > p.After }), err
}

func rowsOf[T any](ws string, m map[[2]string][]byte) ([]*T, error) {
	var out []*T
	for k, b := range m {
		if k[0] != ws {
			continue
		}
		v, err := store.Decode[T](b)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Teams implements store.Reader.
func (t *tx) Teams(ws string) ([]store.Team, error) {
	var out []store.Team
	for k, team := range t.db.teams {
		if k[0] == ws {
			out = append(out, team)
		}
	}
	slices.SortFunc(out, func(a, b store.Team) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// PutTeam implements store.Writer.
func (t *tx) PutTeam(ws string, team store.Team) error {
	set(t, t.db.teams, [2]string{ws, team.Name}, team)
	return nil
}

func owner[T any](m map[string]owned, hash string) (string, *T, error) {
	o, ok := m[hash]
	if !ok || hash == "" {
		return "", nil, nil
	}
	v, err := store.Decode[T](o.body)
	return o.ws, v, err
}

func own(t *tx, m map[string]owned, ws, hash string, v any) error {
	b, err := store.Encode(v)
	if err == nil {
		set(t, m, hash, owned{ws, b})
	}
	return err
}

// Session implements store.Reader.
func (t *tx) Session(hash string) (string, *store.Session, error) {
	return owner[store.Session](t.db.sessions, hash)
}

// PutSession implements store.Writer.
func (t *tx) PutSession(ws string, s *store.Session) error {
	return own(t, t.db.sessions, ws, s.Token, s)
}

// DeleteSession implements store.Writer.
func (t *tx) DeleteSession(hash string) error {
	remove(t, t.db.sessions, hash)
	return nil
}

// Code implements store.Reader.
func (t *tx) Code(hash string) (string, *store.Code, error) {
	return owner[store.Code](t.db.codes, hash)
}

// PutCode implements store.Writer.
func (t *tx) PutCode(ws string, c *store.Code) error { return own(t, t.db.codes, ws, c.Hash, c) }

// DeleteCode implements store.Writer.
func (t *tx) DeleteCode(hash string) error {
	remove(t, t.db.codes, hash)
	return nil
}

// Replica implements store.Reader.
func (t *tx) Replica(ws, id string) (*store.Replica, error) {
	return get[store.Replica](t.db.replicas, [2]string{ws, id})
}

// PutReplica implements store.Writer.
func (t *tx) PutReplica(ws string, r *store.Replica) error {
	return put(t, t.db.replicas, [2]string{ws, r.ID}, r)
}

// Replicas implements store.Reader.
func (t *tx) Replicas(ws, user string, p store.Page) ([]*store.Replica, error) {
	rows, err := rowsOf[store.Replica](ws, t.db.replicas)
	rows = slices.DeleteFunc(rows, func(r *store.Replica) bool { return user != "" && r.User != user })
	return page(rows, p, func(a, b *store.Replica) int { return strings.Compare(a.ID, b.ID) },
		func(r *store.Replica) bool { return r.ID > p.After }), err
}

// ReplicaByCredential implements store.Reader.
func (t *tx) ReplicaByCredential(hash string) (string, *store.Replica, error) {
	if hash == "" {
		return "", nil, nil
	}
	for k := range t.db.replicas {
		r, err := t.Replica(k[0], k[1])
		if err != nil {
			return "", nil, err
		}
		if r.Credential == hash {
			return k[0], r, nil
		}
	}
	return "", nil, nil
}
