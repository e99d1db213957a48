package server

import (
	"context"
	"path/filepath"

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
