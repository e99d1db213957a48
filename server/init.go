package server

import (
	"context"
	"fmt"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/auth"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/publish"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// InitOptions say what a new workspace begins with.
type InitOptions struct {
	Definition []byte // the app definition, YAML; it becomes version 1
	File       string // its name, to show in problems; "": app.yaml
	Admin      string // the first administrator; "": admin
	Title      string // what people call them
	Password   string // theirs; "": a random one is made
	Seams
}

// Initialised is what Init made.
type Initialised struct {
	Workspace string   // named after the app
	Admin     string   // the first administrator
	Password  string   // set only when it was made here; it is stored nowhere
	Roles     []string // what the administrator holds: every declared role, and administrator
	Warnings  []landfall.Message
}

// Empty reports whether the store has no workspace yet.
func Empty(ctx context.Context, st Store) (bool, error) {
	var all []string
	err := st.View(ctx, func(r store.Reader) error {
		var err error
		all, err = r.Workspaces()
		return err
	})
	return len(all) == 0, err
}

// Init makes the workspace of an app, version 1 of its definition, and its
// first administrator, who also holds every role that the definition declares.
// It refuses a store that has a workspace (CodeConflict) and a definition with
// errors (CodeRefused, with a message each).
func Init(ctx context.Context, st Store, o InitOptions) (*Initialised, error) {
	o.fill()
	if o.File == "" {
		o.File = "app.yaml"
	}
	if o.Admin == "" {
		o.Admin = "admin"
	}
	empty, err := Empty(ctx, st)
	if err != nil {
		return nil, err
	}
	if !empty {
		return nil, landfall.Errorf(landfall.CodeConflict, "there is a workspace here already").
			WithHint("serve it, or choose another folder; a new definition is published with: landfall app publish FILE")
	}
	app, problems := definition.Compile(o.File, o.Definition)
	if app != nil && app.Version > 1 {
		problems = append(problems, definition.Problem{File: o.File, Line: 1, Column: 1, Message: "the first version is 1", Hint: "write version: 1, or leave it out"})
		app = nil
	}
	errs, warnings := sorted(problems)
	if app == nil || len(errs) > 0 {
		e := landfall.Errorf(landfall.CodeRefused, "%s has %d problems", o.File, len(errs)).WithHint("mend them; landfall app check says when it is right")
		e.Messages = errs
		return nil, e
	}
	made := &Initialised{Workspace: app.Name, Admin: o.Admin, Warnings: warnings}
	password := o.Password
	if password == "" {
		if password, err = auth.RandomPassword(o.Random); err != nil {
			return nil, err
		}
		made.Password = password
	}
	opts := Options{Store: st, Seams: o.Seams}
	accounts := accountsOf(&opts, publish.New(publish.Config{Store: st, Clock: o.Clock, Mark: o.mark}))
	// What was compiled is what is stored, byte for byte.
	first := *app
	first.Source = o.Definition
	if err := accounts.Bootstrap(ctx, auth.First{Workspace: app.Name, App: &first, Admin: o.Admin, Title: o.Title, Password: password}); err != nil {
		return nil, err
	}
	made.Roles = append(append(made.Roles, app.Roles...), landfall.Administrator)
	return made, nil
}

// sorted puts problems into words, errors and warnings apart.
func sorted(problems []definition.Problem) (errs, warnings []landfall.Message) {
	for _, p := range problems {
		m := landfall.Message{Code: "definition", Text: fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message), Hint: p.Hint}
		if p.Warning {
			warnings = append(warnings, m)
		} else {
			errs = append(errs, m)
		}
	}
	return errs, warnings
}

// Difference is how a definition differs from the published one.
type Difference struct {
	Workspace string
	Published int64 // version
	Same      bool
	// Messages say what publishing it would find. Refused means that it could
	// not be published as it is.
	Messages []landfall.Message
	Refused  bool
}

// Difference compares a definition with the published one and changes nothing.
// It is not-found when the store has no workspace.
func (s *Server) Difference(ctx context.Context, file string, source []byte) (*Difference, error) {
	var all []string
	err := s.opts.Store.View(ctx, func(r store.Reader) error {
		var err error
		all, err = r.Workspaces()
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, landfall.Errorf(landfall.CodeNotFound, "there is no workspace yet").WithHint("run: landfall init")
	}
	d := &Difference{Workspace: all[0]}
	checked, err := s.publisher.Check(ctx, d.Workspace, wire.Publish{Source: string(source), File: file})
	if err != nil {
		return nil, err
	}
	if d.Published, _, err = s.publisher.Source(ctx, d.Workspace); err != nil {
		return nil, err
	}
	d.Same = checked.Unchanged
	for _, p := range checked.Problems {
		d.Messages = append(d.Messages, landfall.Message{Code: "definition", Text: fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message), Hint: p.Hint})
		d.Refused = d.Refused || !p.Warning
	}
	return d, nil
}
