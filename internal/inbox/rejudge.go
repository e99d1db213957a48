package inbox

import (
	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Rejudge says what a retry of the issue would do in the state that r reads, if
// app were published: nil when it settles the issue, else why not. It is the
// retry itself, by a writer that forgets.
func (in *Inbox) Rejudge(r store.Reader, ws string, app *definition.App, row *store.IssueRow) (*core.Refusal, error) {
	b := store.NewBatch(store.Forgetful{Reader: r}, ws)
	l, err := store.Open(b, ws, in.cfg.Clock(), "")
	if err != nil {
		return nil, err
	}
	j := newJudging(in, b, ws, app)
	j.l = l
	tried, out := *row, wire.Retried{}
	err = j.judgeLane(&attempt{row: &tried}, &out)
	if landfall.CodeOf(err) == landfall.CodeConflict { // reopened, after it took effect
		return &core.Refusal{Kind: row.Issue.Kind, Cause: row.Issue.Cause, Messages: row.Issue.Messages}, nil
	}
	if err != nil || out.Settled {
		return nil, err
	}
	return &core.Refusal{Kind: out.Kind, Cause: tried.Issue.Cause, Messages: out.Messages}, nil
}
