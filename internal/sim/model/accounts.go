package model

import (
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/store"
)

// deeds are what the audit calls what people do to records at the desk.
var deeds = map[landfall.Op]string{
	landfall.OpCreate: store.RecordCreate, landfall.OpUpdate: store.RecordUpdate, landfall.OpTransition: store.RecordTransition,
	landfall.OpDelete: store.RecordDelete, landfall.OpRestore: store.RecordRestore,
}

// desk reads a change at the desk: judged by the same rules, and in the audit.
func (r *reading) desk(changes []*landfall.Change) {
	it := r.members(1)[0]
	user := strings.TrimPrefix(it.Key.Replica, deskOf)
	if it.bad != "" || it.User != user || !it.ReceivedAt.Equal(r.now()) || !it.EditedAt.Equal(r.now()) {
		r.complain("desk", "%s of %s at %s can't be read (%s)", it.Key, it.User, stamp(it.ReceivedAt), it.bad)
	}
	v := r.m.judge(r.m.actor(user, ""), steps([]*Item{it}, ""), false, r.seq, r.now())
	if v.applied() && it.Receipt.Result == landfall.Applied && len(changes) > 0 {
		r.alike(it.Key.String(), v.changes, changes)
	} else {
		r.complain("desk", "%s is %s with %d changes at the desk, and should be %s", it.Key, answer(&it.Receipt), len(changes), v.String())
	}
	want := landfall.Receipt{N: it.Key.N, Result: landfall.Applied, Seq: r.seq}
	if !sameReceipt(&it.Receipt, &want) || it.State != store.Completed || it.Holder != "" {
		r.complain("receipt", "%s gets the receipt %+v at %d", it.Key, it.Receipt, r.seq)
	}
	if !r.has(deeds[it.Op], it.Record) && !r.has(store.RecordImport, it.Type) {
		r.complain("audit", "%s %ss %s at the desk, and the audit does not tell", user, it.Op, it.Record)
	}
	r.m.counters[it.Key.Replica] = it.Key.N
	r.fold(changes)
	it.took = r.seq
	r.m.keep(it)
}

// grant reads a span that begins or ends, at a place of its own.
func (r *reading) grant(g *store.GrantRow) {
	k := grant{g.User, g.Key}
	open, held := r.m.grants[k]
	switch {
	case g.To == 0 && !held:
		r.place(g.From, "a grant")
		r.m.grants[k] = *g
	case g.To != 0 && held && open.From == g.From:
		r.place(g.To, "a loss")
		delete(r.m.grants, k)
	default:
		r.complain("grant", "%s of %s from %d to %d does not go on from %d", g.Key, g.User, g.From, g.To, open.From)
	}
	r.accounted[g.User] = true
}

// user reads an account: what they hold is what was granted.
func (r *reading) user(u *store.User) {
	old := r.m.users[u.Name]
	r.m.users[u.Name] = u
	delete(r.accounted, u.Name)
	if old == nil {
		old = &store.User{Name: u.Name}
		if !r.has(store.UserAdd, u.Name) && !r.began() {
			r.complain("audit", "%s is added, and the audit does not tell", u.Name)
		}
	}
	for _, x := range []struct {
		kind       string
		was, now   []string
		give, take string
	}{{"role:", old.Roles, u.Roles, store.UserGrant, store.UserRevoke}, {"team:", old.Teams, u.Teams, store.TeamJoin, store.TeamLeave}} {
		for _, name := range x.now {
			if _, open := r.m.grants[grant{u.Name, x.kind + name}]; !open {
				r.complain("grant", "%s holds %s%s without a grant", u.Name, x.kind, name)
			}
			if !slices.Contains(x.was, name) && !r.has(x.give, u.Name) && !r.began() {
				r.complain("audit", "%s is given %s%s, and the audit does not tell", u.Name, x.kind, name)
			}
		}
		for _, name := range x.was {
			if slices.Contains(x.now, name) {
				continue
			}
			if _, open := r.m.grants[grant{u.Name, x.kind + name}]; open {
				r.complain("grant", "%s lost %s%s, and the grant goes on", u.Name, x.kind, name)
			}
			r.audited("audit", x.take, u.Name)
		}
	}
	if u.Disabled != old.Disabled {
		r.audited("audit", map[bool]string{true: store.UserDisable, false: store.UserEnable}[u.Disabled], u.Name)
	}
	if u.Disabled && !old.Disabled || len(u.Roles) < len(old.Roles) {
		r.attendAll()
	}
}

// attendAll looks at all open issues again.
func (r *reading) attendAll() {
	for _, i := range r.m.Issues() {
		r.attended(i)
	}
}

// began reports whether this commit is the first of its workspace.
func (r *reading) began() bool {
	return slices.ContainsFunc(r.audits, func(e *store.AuditEntry) bool { return e.Action == store.WorkspaceInit })
}

// publish reads a new version of the definition, at a place of its own.
// Records that it converts have changed at that place already.
func (r *reading) publish(d *store.DefinitionRow, changes []*landfall.Change) {
	if len(changes) == 0 {
		r.place(r.seq+1, "a definition")
	}
	if d.Version != r.m.version+1 {
		r.complain("definition", "version %d is published after %d", d.Version, r.m.version)
	}
	a := r.m.known[string(d.Source)]
	if a == nil {
		r.complain("definition", "version %d of the definition is not known", d.Version)
		a = &app.App{}
	}
	if d.Seq != r.seq {
		r.complain("definition", "version %d is kept as published at %d, and was at %d", d.Version, d.Seq, r.seq)
	}
	r.regroup(a, d, changes)
	r.m.version, r.m.published = d.Version, append(slices.Clip(r.m.published), r.seq)
	if !r.began() {
		if by := r.m.actor(d.By, ""); by.Disabled || !by.Has(landfall.Administrator) {
			r.complain("definition", "version %d is published by %s, who may not", d.Version, d.By)
		}
		if !slices.ContainsFunc(r.audits, func(e *store.AuditEntry) bool {
			return e.Action == store.DefinitionPublish && e.Outcome == store.AuditDone
		}) {
			r.complain("audit", "version %d is published, and the audit does not tell", d.Version)
		}
	}
	r.attendAll()
}
