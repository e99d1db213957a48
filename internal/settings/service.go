package settings

import (
	"context"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Config is what the settings work with.
type Config struct {
	Store store.Store
	Clock func() time.Time
}

// Service reads and changes settings for people.
type Service struct {
	Config
	damper store.Damper
}

// New makes a service.
func New(c Config) *Service { return &Service{Config: c} }

// Settings lists all settings that the caller may read, by name.
func (s *Service) Settings(ctx context.Context, ws string, actor landfall.Actor) ([]wire.SettingView, error) {
	out := []wire.SettingView{}
	err := s.Store.View(ctx, func(r store.Reader) error {
		administers, err := administrator(r, ws, &actor)
		if err != nil {
			return err
		}
		for i := range All {
			if !All[i].Public && !administers {
				continue
			}
			row, err := r.Setting(ws, All[i].Name)
			if err != nil {
				return err
			}
			out = append(out, *All[i].view(row, administers))
		}
		return nil
	})
	return out, err
}

// view tells administrators, too, who set it.
func (s *Setting) view(row *store.SettingRow, administers bool) *wire.SettingView {
	v := &wire.SettingView{Name: s.Name, Value: s.now(row), Default: s.Default, Is: s.Kind.Is(), Does: s.Does, Public: s.Public}
	if row != nil && administers {
		v.By, v.At = row.By, row.At
	}
	return v
}

// Set gives a setting a value. Administrators only.
func (s *Service) Set(ctx context.Context, ws string, actor landfall.Actor, name, value string) (*wire.SettingView, error) {
	return s.change(ctx, ws, actor, name, store.SettingSet, &value)
}

// Reset gives a setting its default. Administrators only.
func (s *Service) Reset(ctx context.Context, ws string, actor landfall.Actor, name string) (*wire.SettingView, error) {
	return s.change(ctx, ws, actor, name, store.SettingReset, nil)
}

// change does it and keeps who did, in one transaction. What is as it was already
// stays, and is not told of.
func (s *Service) change(ctx context.Context, ws string, actor landfall.Actor, name, action string, value *string) (out *wire.SettingView, err error) {
	refused := false
	err = s.Store.Update(ctx, func(w store.Writer) error {
		administers, err := administrator(w, ws, &actor)
		if err != nil {
			return err
		}
		if !administers {
			refused = true
			return s.noteRefused(w, ws, actor.User, action)
		}
		st, err := Find(name)
		if err != nil {
			return err
		}
		out, err = s.put(w, ws, actor.User, st, action, value)
		return err
	})
	if err == nil && refused {
		err = landfall.Errorf(landfall.CodeForbidden, "only an administrator may change settings").WithHint("ask somebody with the role %q", landfall.Administrator)
	}
	return out, err
}

// put writes the value, or with none takes away what was set.
func (s *Service) put(w store.Writer, ws, by string, st *Setting, action string, value *string) (*wire.SettingView, error) {
	old, err := w.Setting(ws, st.Name)
	if err != nil {
		return nil, err
	}
	var row *store.SettingRow
	if value != nil {
		v, err := st.Kind.Canonical(*value)
		if err != nil {
			return nil, err
		}
		row = &store.SettingRow{Name: st.Name, Value: v, By: by, At: s.Clock().UTC()}
	}
	switch {
	case old == nil && row == nil, old != nil && row != nil && old.Value == row.Value:
		return st.view(old, true), nil
	case row == nil:
		err = w.DeleteSetting(ws, st.Name)
	default:
		err = w.SetSetting(ws, *row)
	}
	if err != nil {
		return nil, err
	}
	out := st.view(row, true)
	return out, w.AddAudit(ws, store.Done(by, action, st.Name, s.Clock().UTC()).With("from", st.now(old)).With("to", out.Value))
}

// noteRefused keeps that somebody tried who may not, at most once a minute.
func (s *Service) noteRefused(w store.Writer, ws, user, action string) error {
	at := s.Clock().UTC()
	if !s.damper.Pass(ws+"\x00"+user+"\x00"+action, at) {
		return nil
	}
	e := store.Done(user, action, "", at)
	e.Outcome = store.AuditRefused
	return w.AddAudit(ws, e)
}

// administrator reports whether the caller is one as of the state that is read.
func administrator(r store.Reader, ws string, actor *landfall.Actor) (bool, error) {
	u, err := r.User(ws, actor.User)
	if u == nil || err != nil {
		return false, err
	}
	a := u.Actor()
	return !a.Disabled && a.Has(landfall.Administrator), nil
}
