package sqlite

import (
	"zombiezen.com/go/sqlite"

	"github.com/landfall-sync/landfall/internal/store"
)

var (
	qUser         = statement("SELECT body FROM users WHERE ws = ? AND name = ?")
	qUsers        = statement("SELECT body FROM users WHERE ws = ? AND name > ? ORDER BY name")
	qPutUser      = statement("INSERT INTO users (ws, name, body) VALUES (?, ?, ?) ON CONFLICT (ws, name) DO UPDATE SET body = excluded.body")
	qTeams        = statement("SELECT name, title FROM teams WHERE ws = ? ORDER BY name")
	qPutTeam      = statement("INSERT INTO teams (ws, name, title) VALUES (?, ?, ?) ON CONFLICT (ws, name) DO UPDATE SET title = excluded.title")
	qSession      = statement("SELECT ws, body FROM sessions WHERE hash = ?")
	qPutSession   = statement("INSERT INTO sessions (hash, ws, body) VALUES (?, ?, ?) ON CONFLICT (hash) DO UPDATE SET body = excluded.body")
	qDropSession  = statement("DELETE FROM sessions WHERE hash = ?")
	qCode         = statement("SELECT ws, body FROM codes WHERE hash = ?")
	qPutCode      = statement("INSERT INTO codes (hash, ws, body) VALUES (?, ?, ?) ON CONFLICT (hash) DO UPDATE SET body = excluded.body")
	qDropCode     = statement("DELETE FROM codes WHERE hash = ?")
	qReplica      = statement("SELECT body FROM replicas WHERE ws = ? AND id = ?")
	qCredential   = statement("SELECT ws, body FROM replicas WHERE credential = ? AND credential <> ''")
	qReplicas     = statement("SELECT body FROM replicas WHERE ws = ? AND id > ? ORDER BY id")
	qReplicasUser = statement("SELECT body FROM replicas WHERE ws = ? AND user = ? AND id > ? ORDER BY id")
	qReplicaState = statement("SELECT body FROM replicas WHERE ws = ? AND state = ? AND state <> 'active' AND id > ? ORDER BY id")
	qContacts     = statement("SELECT body FROM replicas WHERE ws = ? AND (contact, id) > (?, ?) AND contact <= ? ORDER BY contact, id")
	qPutReplica   = statement("INSERT INTO replicas (ws, id, user, credential, state, contact, body) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (ws, id) DO UPDATE SET user = excluded.user, credential = excluded.credential, state = excluded.state, contact = excluded.contact, body = excluded.body")
	qOpen         = statement("SELECT count(*), ifnull(sum(json_extract(CAST(body AS TEXT), '$.op') = 'lost'), 0) FROM items WHERE ws = ? AND replica = ? AND incarnation = ? AND state <> 'completed' AND state <> 'withdrawn'")
	qOpenForks    = statement("SELECT count(*), ifnull(sum(json_extract(CAST(body AS TEXT), '$.op') = 'lost'), 0) FROM items WHERE ws = ? AND replica = ? AND incarnation < 0 AND state <> 'completed' AND state <> 'withdrawn'")
)

// User implements store.Reader.
func (t *tx) User(ws, name string) (*store.User, error) { return one[store.User](t, qUser, ws, name) }

// Users implements store.Reader.
func (t *tx) Users(ws string, p store.Page) ([]*store.User, error) {
	return many[store.User](t, p.Limit, nil, qUsers, ws, p.After)
}

// PutUser implements store.Writer.
func (t *tx) PutUser(ws string, u *store.User) error { return t.put(qPutUser, u, ws, u.Name) }

// Teams implements store.Reader.
func (t *tx) Teams(ws string) (out []store.Team, err error) {
	err = t.query(qTeams, func(st *sqlite.Stmt) (bool, error) {
		out = append(out, store.Team{Name: st.ColumnText(0), Title: st.ColumnText(1)})
		return true, nil
	}, ws)
	return out, err
}

// PutTeam implements store.Writer.
func (t *tx) PutTeam(ws string, team store.Team) error {
	return t.exec(qPutTeam, ws, team.Name, team.Title)
}

// owner reads a row that is found by hash over all workspaces.
func owner[T any](t *tx, sql, hash string) (ws string, v *T, err error) {
	err = t.query(sql, func(st *sqlite.Stmt) (bool, error) {
		ws = st.ColumnText(0)
		v, err = store.Decode[T](columnBytes(st, 1))
		return false, err
	}, hash)
	return ws, v, err
}

// Session implements store.Reader.
func (t *tx) Session(hash string) (string, *store.Session, error) {
	return owner[store.Session](t, qSession, hash)
}

// PutSession implements store.Writer.
func (t *tx) PutSession(ws string, s *store.Session) error { return t.put(qPutSession, s, s.Token, ws) }

// DeleteSession implements store.Writer.
func (t *tx) DeleteSession(hash string) error { return t.exec(qDropSession, hash) }

// Code implements store.Reader.
func (t *tx) Code(hash string) (string, *store.Code, error) {
	return owner[store.Code](t, qCode, hash)
}

// PutCode implements store.Writer.
func (t *tx) PutCode(ws string, c *store.Code) error { return t.put(qPutCode, c, c.Hash, ws) }

// DeleteCode implements store.Writer.
func (t *tx) DeleteCode(hash string) error { return t.exec(qDropCode, hash) }

// Replica implements store.Reader.
func (t *tx) Replica(ws, id string) (*store.Replica, error) {
	return one[store.Replica](t, qReplica, ws, id)
}

// ReplicaByCredential implements store.Reader.
func (t *tx) ReplicaByCredential(hash string) (string, *store.Replica, error) {
	return owner[store.Replica](t, qCredential, hash)
}

// Replicas implements store.Reader.
func (t *tx) Replicas(ws, user string, p store.Page) ([]*store.Replica, error) {
	if user != "" {
		return many[store.Replica](t, p.Limit, nil, qReplicasUser, ws, user, p.After)
	}
	return many[store.Replica](t, p.Limit, nil, qReplicas, ws, p.After)
}

// PutReplica implements store.Writer.
func (t *tx) PutReplica(ws string, r *store.Replica) error {
	return t.put(qPutReplica, r, ws, r.ID, r.User, r.Credential, string(r.State()), r.ContactKey())
}

// FindReplicas implements store.Reader: by the index of the narrowest filter
// that the order allows; the rest of the filter is applied to what that gives.
func (t *tx) FindReplicas(ws string, f store.ReplicaFilter, p store.Page) ([]*store.Replica, error) {
	contact, id, err := f.ReadCursor(p.After)
	switch {
	case err != nil:
		return nil, err
	case f.ByContact:
		return many(t, p.Limit, f.MatchReplica, qContacts, ws, contact, id, f.LastKey())
	case f.User != "":
		return many(t, p.Limit, f.MatchReplica, qReplicasUser, ws, f.User, id)
	case f.State != "" && f.State != store.Active:
		return many(t, p.Limit, f.MatchReplica, qReplicaState, ws, string(f.State), id)
	}
	return many(t, p.Limit, f.MatchReplica, qReplicas, ws, id)
}

// Tally implements store.Reader.
func (t *tx) Tally(ws, replica string, incarnation int64) (out store.Tally, err error) {
	opened := func(st *sqlite.Stmt) (bool, error) {
		out.Open, out.OpenLost = st.ColumnInt64(0), st.ColumnInt64(1)
		return false, nil
	}
	if incarnation < 0 {
		err = t.query(qOpenForks, opened, ws, replica)
	} else {
		err = t.query(qOpen, opened, ws, replica, incarnation)
	}
	return out, err
}
