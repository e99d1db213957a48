package sqlite

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

var (
	qHead         = statement("SELECT body FROM heads WHERE ws = ?")
	qWorkspaces   = statement("SELECT ws FROM heads ORDER BY ws")
	qNewHead      = statement("INSERT INTO heads (ws, body) VALUES (?, ?)")
	qSetHead      = statement("UPDATE heads SET body = ?2 WHERE ws = ?1")
	qCommit       = statement("INSERT INTO commits (ws, last, mark) VALUES (?, ?, ?)")
	qMark         = statement("SELECT mark FROM commits WHERE ws = ? AND last >= ? ORDER BY last LIMIT 1")
	qRecord       = statement("SELECT body, edits FROM records WHERE ws = ? AND id = ?")
	qRow          = statement("SELECT body, edits, keys, places FROM records WHERE ws = ? AND id = ?")
	qNumbered     = statement("SELECT body, edits FROM records WHERE ws = ? AND number = ? AND number <> ''")
	qPrefix       = statement("SELECT id FROM records WHERE ws = ? AND id >= ? AND id < ? ORDER BY id LIMIT ?")
	qKeys         = statement("SELECT keys FROM records WHERE ws = ? AND id = ?")
	qPutRecord    = statement("INSERT INTO records (ws, id, type, version, number, queue, assignee, deleted, keys, places, edits, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (ws, id) DO UPDATE SET version = excluded.version, number = excluded.number, queue = excluded.queue, assignee = excluded.assignee, deleted = excluded.deleted, keys = excluded.keys, places = excluded.places, edits = excluded.edits, body = excluded.body")
	qRegroup      = statement("UPDATE records SET keys = ?3, places = ?4 WHERE ws = ?1 AND id = ?2")
	qPutFeed      = statement("INSERT INTO feed (ws, key, seq, id, type, gone) VALUES (?, ?, ?, ?, ?, ?)")
	qDropFeed     = statement("DELETE FROM feed WHERE ws = ? AND key = ? AND seq = ? AND id = ?")
	qPutMember    = statement("INSERT INTO members (ws, key, type, id) VALUES (?, ?, ?, ?)")
	qDropMember   = statement("DELETE FROM members WHERE ws = ? AND key = ? AND type = ? AND id = ?")
	qFeed         = statement("SELECT f.seq, f.type, f.id, f.gone, r.body FROM feed f LEFT JOIN records r ON r.ws = f.ws AND r.id = f.id AND r.deleted = 0 AND f.gone = 0 WHERE f.ws = ? AND f.key = ? AND (f.seq, f.id) > (?, ?) AND f.seq <= ? ORDER BY f.seq, f.id LIMIT ?")
	qKeyed        = statement("SELECT id FROM members WHERE ws = ? AND key = ? AND type = ? AND id < ? ORDER BY id DESC LIMIT ?")
	qChanges      = statement("SELECT body, seq, idx FROM changes WHERE ws = ? AND id = ? AND seq > ? ORDER BY seq, idx")
	qAddChange    = statement("INSERT INTO changes (ws, id, seq, idx, body) VALUES (?, ?, ?, ?, ?)")
	qUnique       = statement("SELECT id FROM uniques WHERE ws = ? AND type = ? AND field = ? AND value = ?")
	qDropUnique   = statement("DELETE FROM uniques WHERE ws = ? AND id = ?")
	qPutUnique    = statement("INSERT INTO uniques (ws, type, field, value, id) VALUES (?, ?, ?, ?, ?)")
	qCounter      = statement("SELECT n FROM counters WHERE ws = ? AND series = ?")
	qSetCounter   = statement("INSERT INTO counters (ws, series, n) VALUES (?, ?, ?) ON CONFLICT (ws, series) DO UPDATE SET n = excluded.n")
	qVersion      = statement("SELECT version FROM records WHERE ws = ? AND id = ?")
	qQueued       = statement("SELECT body, edits FROM records WHERE ws = ? AND queue = ? AND queue <> '' AND (version, id) < (?, ?) ORDER BY version DESC, id DESC")
	qAssigned     = statement("SELECT body, edits FROM records WHERE ws = ? AND assignee = ? AND assignee <> '' AND (version, id) < (?, ?) ORDER BY version DESC, id DESC")
	qGrants       = statement("SELECT user, key, seq, until FROM grants WHERE ws = ? AND user = ? ORDER BY seq, key")
	qPutGrant     = statement("INSERT INTO grants (ws, user, seq, key, until) VALUES (?, ?, ?, ?, ?) ON CONFLICT (ws, user, seq, key) DO UPDATE SET until = excluded.until")
	qDefinition   = statement("SELECT body FROM definitions WHERE ws = ? AND version = ?")
	qPutDefintion = statement("INSERT INTO definitions (ws, version, body) VALUES (?, ?, ?) ON CONFLICT (ws, version) DO UPDATE SET body = excluded.body")
)

// Head implements store.Reader.
func (t *tx) Head(ws string) (*store.Head, error) { return one[store.Head](t, qHead, ws) }

// Workspaces implements store.Reader.
func (t *tx) Workspaces() ([]string, error) { return t.texts(qWorkspaces) }

// CreateWorkspace implements store.Writer.
func (t *tx) CreateWorkspace(ws string, h store.Head) error {
	old, err := t.Head(ws)
	if err != nil {
		return err
	}
	if old != nil {
		return landfall.Errorf(landfall.CodeConflict, "there is a workspace %q already", ws)
	}
	return t.put(qNewHead, &h, ws)
}

// SetHead implements store.Writer.
func (t *tx) SetHead(ws string, h store.Head) error {
	old, err := t.Head(ws)
	if err != nil {
		return err
	}
	if old == nil {
		return landfall.Errorf(landfall.CodeInternal, "there is no workspace %q", ws)
	}
	if h.Seq > old.Seq {
		if err := t.exec(qCommit, ws, h.Seq, h.Mark); err != nil {
			return err
		}
	}
	return t.put(qSetHead, &h, ws)
}

// Mark implements store.Reader.
func (t *tx) Mark(ws string, seq int64) (string, error) {
	if seq < 1 {
		return "", nil
	}
	return t.text(qMark, ws, seq)
}

// Record implements store.Reader.
func (t *tx) Record(ws, id string) (*landfall.Record, error) { return t.record(qRecord, ws, id) }

// RecordByNumber implements store.Reader.
func (t *tx) RecordByNumber(ws, number string) (*landfall.Record, error) {
	return t.record(qNumbered, ws, number)
}

func (t *tx) record(sql string, args ...any) (r *landfall.Record, err error) {
	err = t.query(sql, func(st *sqlite.Stmt) (bool, error) {
		r, err = store.DecodeRecord(columnBytes(st, 0), columnBytes(st, 1))
		return false, err
	}, args...)
	return r, err
}

// Row implements store.Reader.
func (t *tx) Row(ws, id string) (row *store.Row, err error) {
	err = t.query(qRow, func(st *sqlite.Stmt) (bool, error) {
		row = &store.Row{}
		if row.Record, err = store.DecodeRecord(columnBytes(st, 0), columnBytes(st, 1)); err != nil {
			return false, err
		}
		if row.Keys, err = keysOf(st.ColumnText(2)); err != nil {
			return false, err
		}
		if places := columnBytes(st, 3); len(places) > 0 {
			err = json.Unmarshal(places, &row.Places)
		}
		return false, err
	}, ws, id)
	return row, err
}

// RecordsByPrefix implements store.Reader.
func (t *tx) RecordsByPrefix(ws, prefix string, limit int) ([]string, error) {
	return t.texts(qPrefix, ws, prefix, prefix+"\U0010ffff", limit)
}

// Audience implements store.Reader.
func (t *tx) Audience(ws, id string) ([]string, error) {
	s, err := t.text(qKeys, ws, id)
	if err != nil {
		return nil, err
	}
	return keysOf(s)
}

// Keys stand one a line; a key has no line break in it, since names have none.
const between = "\n"

func keysOf(s string) ([]string, error) {
	if s == "" {
		return nil, nil
	}
	return strings.Split(s, between), nil
}

// PutRecord implements store.Writer.
func (t *tx) PutRecord(ws string, r *landfall.Record, keys []string) error {
	old, err := t.Row(ws, r.ID)
	if err != nil {
		return err
	}
	return t.PutRow(ws, old, r, keys)
}

// PutRow implements store.Writer.
func (t *tx) PutRow(ws string, old *store.Row, r *landfall.Record, keys []string) error {
	m := mover{t: t, ws: ws, r: r, seq: r.Version, changed: true}
	held, places, err := m.move(old, keys)
	if err != nil {
		return err
	}
	queue, assignee := r.Queue, r.Assignee
	if r.Deleted {
		queue, assignee = "", ""
	}
	t.edits = store.EncodeEdits(t.edits[:0], r.Edits)
	t.body = store.EncodeRecord(t.body[:0], r)
	return t.exec(qPutRecord, ws, r.ID, r.Type, r.Version, r.Number, queue, assignee, r.Deleted, held, places, t.edits, t.body)
}

// Regroup implements store.Writer.
func (t *tx) Regroup(ws, id string, keys []string, seq int64) error {
	old, err := t.Row(ws, id)
	if err != nil {
		return err
	}
	if old == nil {
		return landfall.Errorf(landfall.CodeInternal, "there is no record %s whose audience could change", id)
	}
	m := mover{t: t, ws: ws, r: old.Record, seq: seq}
	held, places, err := m.move(old, keys)
	if err != nil {
		return err
	}
	return t.exec(qRegroup, ws, id, held, places)
}

// mover moves the entries of a record in the feed to a place.
type mover struct {
	t       *tx
	ws      string
	r       *landfall.Record
	seq     int64
	changed bool             // the record did, which all its keys hear of
	places  map[string]int64 // of entries that are not at the record's version
}

// move makes keys those that the record is under, and returns what its row says
// of them.
func (m *mover) move(old *store.Row, keys []string) (held, places string, err error) {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if slices.ContainsFunc(keys, func(k string) bool { return strings.Contains(k, between) }) {
		return "", "", landfall.Errorf(landfall.CodeInternal, "an audience key of record %s has a line break in it", m.r.ID)
	}
	var was []string
	if old != nil {
		was, m.places = old.Keys, maps.Clone(old.Places)
	}
	for _, k := range was {
		kept := slices.Contains(keys, k)
		if kept && !m.changed {
			continue
		}
		if err := m.drop(k, old.Record.Version); err != nil {
			return "", "", err
		}
		if !kept {
			if err := m.leave(k); err != nil {
				return "", "", err
			}
		}
	}
	for _, k := range keys {
		if err := m.enter(k, slices.Contains(was, k)); err != nil {
			return "", "", err
		}
	}
	if len(m.places) > 0 {
		b, err := json.Marshal(m.places)
		if err != nil {
			return "", "", err
		}
		places = string(b)
	}
	return strings.Join(keys, between), places, nil
}

// drop takes an entry away, which is at version unless it is known elsewhere.
func (m *mover) drop(key string, version int64) error {
	at, elsewhere := m.places[key]
	if elsewhere {
		delete(m.places, key)
	} else {
		at = version
	}
	return m.t.exec(qDropFeed, m.ws, key, at, m.r.ID)
}

func (m *mover) leave(key string) error {
	m.stands(key)
	if err := m.t.exec(qPutFeed, m.ws, key, m.seq, m.r.ID, m.r.Type, true); err != nil {
		return err
	}
	return m.t.exec(qDropMember, m.ws, key, m.r.Type, m.r.ID)
}

func (m *mover) enter(key string, was bool) error {
	if was && !m.changed {
		return nil
	}
	if at, back := m.places[key]; back {
		if err := m.drop(key, at); err != nil {
			return err
		}
	}
	if m.seq != m.r.Version {
		m.stands(key)
	}
	if err := m.t.exec(qPutFeed, m.ws, key, m.seq, m.r.ID, m.r.Type, false); err != nil || was {
		return err
	}
	return m.t.exec(qPutMember, m.ws, key, m.r.Type, m.r.ID)
}

// stands keeps where the entry of a key is.
func (m *mover) stands(key string) {
	if m.places == nil {
		m.places = map[string]int64{}
	}
	m.places[key] = m.seq
}

// Feed implements store.Reader.
func (t *tx) Feed(ws, key string, after store.Spot, upto int64, limit int) (out []store.Entry, err error) {
	err = t.query(qFeed, func(st *sqlite.Stmt) (bool, error) {
		e := store.Entry{Seq: st.ColumnInt64(0), Type: st.ColumnText(1), ID: st.ColumnText(2), Gone: st.ColumnBool(3)}
		if st.ColumnLen(4) > 0 {
			e.Record = columnBytes(st, 4)
		}
		out = append(out, e)
		return true, nil
	}, ws, key, after.Seq, after.ID, upto, limit)
	return out, err
}

// Keyed implements store.Reader.
func (t *tx) Keyed(ws, key, typ, before string, limit int) ([]string, error) {
	if before == "" {
		before = "\U0010ffff"
	}
	return t.texts(qKeyed, ws, key, typ, before, limit)
}

// Changes implements store.Reader.
func (t *tx) Changes(ws, id string, after int64) (out []landfall.Change, err error) {
	err = t.query(qChanges, func(st *sqlite.Stmt) (bool, error) {
		c := landfall.Change{}
		if err := json.Unmarshal(columnBytes(st, 0), &c); err != nil {
			return false, err
		}
		c.ID, c.Seq, c.Index = id, st.ColumnInt64(1), int(st.ColumnInt64(2))
		out = append(out, c)
		return true, nil
	}, ws, id, after)
	return out, err
}

// AddChange implements store.Writer.
func (t *tx) AddChange(ws string, c *landfall.Change) error {
	t.body = store.EncodeChange(t.body[:0], c)
	return t.exec(qAddChange, ws, c.ID, c.Seq, c.Index, t.body)
}

// Unique implements store.Reader.
func (t *tx) Unique(ws, typ, field, value string) (string, error) {
	return t.text(qUnique, ws, typ, field, value)
}

// SetUnique implements store.Writer.
func (t *tx) SetUnique(ws, typ, id string, values map[string]string) error {
	if err := t.exec(qDropUnique, ws, id); err != nil {
		return err
	}
	for field, value := range values {
		if err := t.exec(qPutUnique, ws, typ, field, value, id); err != nil {
			return err
		}
	}
	return nil
}

// Counter implements store.Reader.
func (t *tx) Counter(ws, series string) (n int64, err error) {
	err = t.query(qCounter, func(st *sqlite.Stmt) (bool, error) {
		n = st.ColumnInt64(0)
		return false, nil
	}, ws, series)
	return n, err
}

// SetCounter implements store.Writer.
func (t *tx) SetCounter(ws, series string, n int64) error { return t.exec(qSetCounter, ws, series, n) }

// Queued implements store.Reader.
func (t *tx) Queued(ws, queue string, p store.Page) ([]*landfall.Record, error) {
	return t.cases(qQueued, ws, queue, p)
}

// Assigned implements store.Reader.
func (t *tx) Assigned(ws, user string, p store.Page) ([]*landfall.Record, error) {
	return t.cases(qAssigned, ws, user, p)
}

func (t *tx) cases(sql, ws, of string, p store.Page) ([]*landfall.Record, error) {
	version := int64(math.MaxInt64)
	if p.After != "" {
		version = 0
		if err := t.query(qVersion, func(st *sqlite.Stmt) (bool, error) {
			version = st.ColumnInt64(0)
			return false, nil
		}, ws, p.After); err != nil {
			return nil, err
		}
	}
	var out []*landfall.Record
	if p.Limit < 1 {
		return nil, nil
	}
	err := t.query(sql, func(st *sqlite.Stmt) (bool, error) {
		r, err := store.DecodeRecord(columnBytes(st, 0), columnBytes(st, 1))
		out = append(out, r)
		return len(out) < p.Limit, err
	}, ws, of, version, p.After)
	return out, err
}

// Grants implements store.Reader.
func (t *tx) Grants(ws, user string) (out []store.GrantRow, err error) {
	err = t.query(qGrants, func(st *sqlite.Stmt) (bool, error) {
		out = append(out, store.GrantRow{User: st.ColumnText(0), Key: st.ColumnText(1), From: st.ColumnInt64(2), To: st.ColumnInt64(3)})
		return true, nil
	}, ws, user)
	return out, err
}

// PutGrant implements store.Writer.
func (t *tx) PutGrant(ws string, g store.GrantRow) error {
	return t.exec(qPutGrant, ws, g.User, g.From, g.Key, g.To)
}

// Definition implements store.Reader.
func (t *tx) Definition(ws string, version int64) (*store.DefinitionRow, error) {
	return one[store.DefinitionRow](t, qDefinition, ws, version)
}

// PutDefinition implements store.Writer.
func (t *tx) PutDefinition(ws string, d *store.DefinitionRow) error {
	return t.put(qPutDefintion, d, ws, d.Version)
}
