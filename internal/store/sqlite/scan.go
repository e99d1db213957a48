package sqlite

import (
	"encoding/json"

	"zombiezen.com/go/sqlite"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

var (
	qRecordIDs = statement("SELECT id FROM records WHERE ws = ? AND id > ? ORDER BY id LIMIT ?")
	qRecordsOf = statement("SELECT id FROM records WHERE ws = ? AND type = ? AND id > ? ORDER BY id LIMIT ?")
	qEntered   = statement("SELECT id FROM feed WHERE ws = ? AND key = ? AND seq = ? AND id = ? AND gone = 0")
	qLog       = statement("SELECT body, id, seq, idx FROM changes WHERE ws = ? AND (id, seq, idx) > (?, ?, ?) ORDER BY id, seq, idx LIMIT ?")
)

// RecordIDs implements store.Reader.
func (t *tx) RecordIDs(ws, after string, limit int) ([]string, error) {
	return t.texts(qRecordIDs, ws, after, limit)
}

// RecordsOf implements store.Reader.
func (t *tx) RecordsOf(ws, typ, after string, limit int) ([]string, error) {
	return t.texts(qRecordsOf, ws, typ, after, limit)
}

// Entered implements store.Reader.
func (t *tx) Entered(ws, key, id string, seq int64) (bool, error) {
	found, err := t.text(qEntered, ws, key, seq, id)
	return found != "", err
}

// Log implements store.Reader.
func (t *tx) Log(ws string, after store.Place, limit int) (out []landfall.Change, err error) {
	err = t.query(qLog, func(st *sqlite.Stmt) (bool, error) {
		c := landfall.Change{}
		if err := json.Unmarshal(columnBytes(st, 0), &c); err != nil {
			return false, err
		}
		c.ID, c.Seq, c.Index = st.ColumnText(1), st.ColumnInt64(2), int(st.ColumnInt64(3))
		out = append(out, c)
		return true, nil
	}, ws, after.ID, after.Seq, after.Index, limit)
	return out, err
}
