package wire

import "github.com/landfall-sync/landfall"

// MaxImportRows is how many rows one import call takes.
const MaxImportRows = 500

// Import asks to create or change many records of one type. Each row is judged
// on its own, like a change at the desk.
type Import struct {
	Rows   []ImportRow `json:"rows" minItems:"1" maxItems:"500"`
	DryRun bool        `json:"dry_run,omitempty" doc:"judge only: nothing is stored"`
}

// ImportRow is one record as a file has it.
type ImportRow struct {
	Line int             `json:"line" doc:"where it stands in the file; comes back with the answer"`
	ID   string          `json:"id" doc:"of the record, a UUID; there already: the row changes it"`
	Set  landfall.Fields `json:"set" doc:"the values that the record shall have; null clears"`
	// Status is not set by an import: a row is refused when the record's is, or
	// would begin as, another one.
	Status string `json:"status,omitempty" doc:"status that the record must have"`
	// Version guards what others did meanwhile.
	Version int64 `json:"version,omitempty" doc:"version that the row was made from; 0: whatever there is"`
}

// ImportResult is what became of a row.
type ImportResult string

// The results.
const (
	ImportApplied   ImportResult = "applied"
	ImportUnchanged ImportResult = "unchanged"
	ImportRefused   ImportResult = "refused"
)

// ImportedRow is the answer to one row.
type ImportedRow struct {
	Line     int                `json:"line"`
	Result   ImportResult       `json:"result" enum:"applied,unchanged,refused"`
	Version  int64              `json:"version,omitempty" doc:"of the record, when it is applied or unchanged"`
	Kind     landfall.Kind      `json:"kind,omitempty"`
	Messages []landfall.Message `json:"messages,omitempty"`
}

// Imported is the answer to an import: one entry a row, in order.
type Imported struct {
	Rows []ImportedRow `json:"rows"`
}
