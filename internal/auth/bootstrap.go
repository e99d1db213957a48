package auth

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
)

// First is what a workspace begins with.
type First struct {
	Workspace string
	App       *definition.App // compiled; its Source becomes version 1
	Admin     string          // name of the first administrator
	Title     string          // what people call them
	Password  string
}

// Bootstrap makes a workspace: version 1 of its definition, and its first
// user, who is administrator and has every role that the definition declares,
// so that each queue has a member from the first minute. A workspace that is
// there already is a conflict.
func (a *Accounts) Bootstrap(ctx context.Context, f First) error {
	if err := checkName("user", f.Admin); err != nil {
		return err
	}
	if err := CheckPassword(f.Password); err != nil {
		return err
	}
	password, err := a.newPassword(ctx, f.Password)
	if err != nil {
		return err
	}
	key := make([]byte, 32)
	if _, err := io.ReadFull(a.random, key); err != nil {
		return fmt.Errorf("no randomness for the workspace's key: %w", err)
	}
	return a.store.Update(ctx, func(w store.Writer) error {
		there, err := w.Head(f.Workspace)
		if err != nil {
			return err
		}
		if there != nil {
			return landfall.Errorf(landfall.CodeConflict, "there is a workspace %q already", f.Workspace).
				WithHint("serve it, or choose another folder")
		}
		now := a.now()
		if err := w.CreateWorkspace(f.Workspace, store.Head{Epoch: a.newID(), Time: now, App: f.App.Name, Key: hex.EncodeToString(key)}); err != nil {
			return err
		}
		l, err := store.Open(w, f.Workspace, now, a.mark())
		if err != nil {
			return err
		}
		if err := w.PutDefinition(f.Workspace, &store.DefinitionRow{Version: 1, Seq: l.Publish(1), Source: f.App.Source, By: f.Admin, At: l.Now()}); err != nil {
			return err
		}
		u := &store.User{Name: f.Admin, Title: f.Title, Password: password, Created: l.Now()}
		for _, role := range append(slices.Clone(f.App.Roles), landfall.Administrator) {
			if u.Roles, err = giveKey(w, l, f.Workspace, u.Name, u.Roles, role, roleKey(role)); err != nil {
				return err
			}
		}
		if err := w.PutUser(f.Workspace, u); err != nil {
			return err
		}
		first := store.Done(store.ByServer, store.WorkspaceInit, f.Workspace, l.Now()).With("admin", u.Name).With("roles", strings.Join(u.Roles, ", ")).With("version", "1")
		if err := w.AddAudit(f.Workspace, first); err != nil {
			return err
		}
		return l.Close()
	})
}
