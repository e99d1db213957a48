package memory

import (
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/store"
)

// Setting implements store.Reader.
func (t *tx) Setting(ws, name string) (*store.SettingRow, error) {
	return get[store.SettingRow](t, kv.Key("setting", ws, name))
}

// Settings implements store.Reader.
func (t *tx) Settings(ws string) (out []store.SettingRow, err error) {
	for _, b := range t.up(kv.Key("setting", ws), "") {
		s, err := store.Decode[store.SettingRow](b)
		if err != nil {
			return nil, err
		}
		out = append(out, *s)
	}
	return out, nil
}

// SetSetting implements store.Writer.
func (t *tx) SetSetting(ws string, s store.SettingRow) error {
	return t.put(kv.Key("setting", ws, s.Name), s)
}

// DeleteSetting implements store.Writer.
func (t *tx) DeleteSetting(ws, name string) error {
	t.kv.Delete(kv.Key("setting", ws, name))
	return nil
}
