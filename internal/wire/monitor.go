package wire

import "time"

// Clean asks to remove the parameters and logs of items that were completed
// before a point in time, so many at a time.
type Clean struct {
	OlderThan string `json:"older_than,omitempty" maxLength:"50" doc:"How long ago they were completed, such as 8d or 36h; or a point in time"`
	After     string `json:"after,omitempty" maxLength:"100" doc:"Cursor: next of the answer before"`
	DryRun    bool   `json:"dry_run,omitempty" doc:"Only count them"`
}

// Cleaning is what one step of cleaning did.
type Cleaning struct {
	Before  time.Time `json:"before" doc:"What was completed before; send it as older_than to go on"`
	Cleaned int       `json:"cleaned" doc:"Items whose parameters were removed, or would be"`
	Kept    int       `json:"kept" doc:"Items that an open issue still needs"`
	Next    string    `json:"next,omitempty" doc:"Where to go on; absent at the end"`
	DryRun  bool      `json:"dry_run,omitempty"`
}

// SettingView is a setting of the workspace.
type SettingView struct {
	Name    string    `json:"name" example:"inbox.keep"`
	Value   string    `json:"value"`
	Default string    `json:"default"`
	Is      string    `json:"is" doc:"What a value looks like"`
	Does    string    `json:"does" doc:"What it is for"`
	Public  bool      `json:"public" doc:"Everybody who is signed in, and every device, may read it"`
	By      string    `json:"by,omitempty" doc:"Who set it; absent while it has its default"`
	At      time.Time `json:"at,omitzero"`
}

// SetSetting gives a setting a value.
type SetSetting struct {
	Value string `json:"value" maxLength:"1000"`
}
