package desk

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Rehearse says what a definition would do if it were published. tell hears how
// far it is; it may be nil.
func (d *Desk) Rehearse(ctx context.Context, req wire.Rehearse, tell func(wire.RehearsalProgress)) (*wire.Rehearsal, error) {
	var out *wire.Rehearsal
	err := d.http.Lines(ctx, http.MethodPost, "/v1/definitions/rehearse", req, func(line []byte) error {
		var e wire.RehearsalEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return cut(d.Server)
		}
		switch {
		case e.Error != nil:
			return e.Error
		case e.Result != nil:
			out = e.Result
		case e.Progress != nil && tell != nil:
			tell(*e.Progress)
		}
		return nil
	})
	if err == nil && out == nil {
		err = cut(d.Server)
	}
	return out, err
}

// cut is an answer whose last line did not come.
func cut(server string) error {
	return landfall.Errorf(landfall.CodeUnavailable, "the server at %s went away before it was done", server).WithHint("try again when it is there")
}
