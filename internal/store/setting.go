package store

import "time"

// SettingRow is a setting that was set. What is not set has its default.
type SettingRow struct {
	Name  string    `json:"name"`
	Value string    `json:"value"`
	By    string    `json:"by,omitempty"`
	At    time.Time `json:"at"`
}

// Settings reads what was set in a workspace. What the names mean is said in
// internal/settings.
type Settings interface {
	// Setting is nil when it is not set.
	Setting(ws, name string) (*SettingRow, error)
	// Settings lists what is set, by name.
	Settings(ws string) ([]SettingRow, error)
}

// WriteSettings writes settings.
type WriteSettings interface {
	SetSetting(ws string, s SettingRow) error
	DeleteSetting(ws, name string) error
}
