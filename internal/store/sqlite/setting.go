package sqlite

import (
	"github.com/landfall-sync/landfall/internal/store"

	"zombiezen.com/go/sqlite"
)

var (
	qSetting       = statement("SELECT body FROM settings WHERE ws = ? AND name = ?")
	qSettings      = statement("SELECT body FROM settings WHERE ws = ? ORDER BY name")
	qPutSetting    = statement("INSERT OR REPLACE INTO settings (ws, name, body) VALUES (?, ?, ?)")
	qDeleteSetting = statement("DELETE FROM settings WHERE ws = ? AND name = ?")
)

// Setting implements store.Reader.
func (t *tx) Setting(ws, name string) (*store.SettingRow, error) {
	return one[store.SettingRow](t, qSetting, ws, name)
}

// Settings implements store.Reader.
func (t *tx) Settings(ws string) (out []store.SettingRow, err error) {
	err = t.query(qSettings, func(st *sqlite.Stmt) (bool, error) {
		s, err := store.Decode[store.SettingRow](columnBytes(st, 0))
		if err == nil {
			out = append(out, *s)
		}
		return true, err
	}, ws)
	return out, err
}

// SetSetting implements store.Writer.
func (t *tx) SetSetting(ws string, s store.SettingRow) error {
	return t.put(qPutSetting, s, ws, s.Name)
}

// DeleteSetting implements store.Writer.
func (t *tx) DeleteSetting(ws, name string) error { return t.exec(qDeleteSetting, ws, name) }
