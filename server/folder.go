package server

import (
	"context"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/landfall-sync/landfall/internal/store/sqlite"
)

// DatabaseFile is the name of the database in a data folder.
const DatabaseFile = "landfall.db"

// OpenFolder opens or makes the SQLite database of a data folder, for its
// owner alone. A folder that another server has open is CodeConflict; a file
// that is not Landfall's, or of a newer version, CodeInvalid. Close it last.
func OpenFolder(ctx context.Context, dir string) (Store, error) {
	s, err := sqlite.Open(ctx, filepath.Join(dir, DatabaseFile), sqlite.Options{})
	if err != nil {
		return nil, err // a nil *sqlite.Store would not be a nil Store
	}
	return s, nil
}

// Copied is a whole database in one file.
type Copied = sqlite.Copied

// Backup writes the database of a data folder to a file that is not there yet,
// while a server serves the folder or not. The copy is one consistent state. A
// file that is there is CodeConflict.
func Backup(ctx context.Context, dir, to string, progress func(done, total int64)) (*Copied, error) {
	return sqlite.Backup(ctx, filepath.Join(dir, DatabaseFile), to, progress)
}

// Restore makes a backup the database of a data folder that no server has
// (CodeConflict). A file that is damaged, or none of Landfall's, is CodeInvalid,
// and nothing is changed. What was in the folder is set aside; aside names it.
func Restore(ctx context.Context, from, dir string) (made *Copied, aside string, err error) {
	return sqlite.Restore(ctx, from, filepath.Join(dir, DatabaseFile), uuid.NewString(), time.Now())
}
