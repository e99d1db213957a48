package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/landfall-sync/landfall/internal/settings"
	"github.com/landfall-sync/landfall/internal/store"
)

// cleanEvery is how often the inbox is looked through for what it has kept for
// long enough.
const cleanEvery = 10 * time.Minute

// clean removes what the inbox has kept for long enough, now and then, until ctx
// is done.
func (s *Server) clean(ctx context.Context) {
	every := time.NewTicker(cleanEvery)
	defer every.Stop()
	for {
		if err := s.Clean(ctx); err != nil && ctx.Err() == nil {
			s.opts.Log.LogAttrs(ctx, slog.LevelWarn, "the inbox was not cleaned; the next try is soon", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// Clean removes the parameters and logs of inbox items that were completed so
// long ago, by the server's clock, as the setting inbox.keep says: in small
// transactions, at most half of the time, so that others get theirs in between.
// Run does this by itself.
func (s *Server) Clean(ctx context.Context) error {
	keep := map[string]time.Duration{}
	var workspaces []string
	err := s.opts.Store.View(ctx, func(r store.Reader) (err error) {
		if workspaces, err = r.Workspaces(); err != nil {
			return err
		}
		for _, ws := range workspaces {
			d, ends, err := settings.Length(r, ws, settings.InboxKeep)
			if err != nil {
				return err
			}
			if ends {
				keep[ws] = d
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, ws := range workspaces {
		if d, ends := keep[ws]; ends {
			if err := s.cleanOne(ctx, ws, s.opts.Clock().UTC().Add(-d)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Server) cleanOne(ctx context.Context, ws string, before time.Time) error {
	total := 0
	for after := ""; ; {
		start := time.Now() // how long it takes is real time
		done, err := s.inbox.CleanOld(ctx, ws, before, after)
		if err != nil {
			return err
		}
		total += done.Cleaned
		if after = done.Next; after == "" {
			break
		}
		rest := time.NewTimer(time.Since(start))
		select {
		case <-ctx.Done():
			rest.Stop()
			return ctx.Err()
		case <-rest.C:
		}
	}
	if total > 0 {
		s.opts.Log.LogAttrs(ctx, slog.LevelInfo, "the inbox was cleaned", slog.String("ws", ws), slog.Int("items", total))
	}
	return nil
}
