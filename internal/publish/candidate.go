package publish

import (
	"context"

	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Candidate is a definition as it would be published, beside the one that is,
// and what Check says of it. It is nil when it would not be published; the
// published one itself when it is the same.
func (p *Publisher) Candidate(ctx context.Context, ws string, req wire.Publish) (next, now *definition.App, said *wire.Published, err error) {
	app, problems, err := compile(req)
	if err != nil {
		return nil, nil, nil, err
	}
	err = p.store.View(ctx, func(r store.Reader) error {
		var err error
		if now, err = p.At(r, ws); err != nil {
			return err
		}
		if said, err = p.compare(r, ws, req, app, problems); err != nil || app == nil || said.Unchanged || refused(said.Problems) {
			return err
		}
		next, err = p.numbered(r, ws, app, said.Version)
		return err
	})
	switch {
	case err != nil:
		return nil, nil, nil, err
	case said.Unchanged:
		return now, now, said, nil
	case app == nil || refused(said.Problems):
		return nil, now, said, nil
	}
	return next, now, said, nil
}
