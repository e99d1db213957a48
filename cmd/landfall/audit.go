package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

type auditCmd struct {
	By     string `help:"Done by this user." placeholder:"NAME"`
	Action string `help:"This action, or all that begin like it: user.grant, or user." placeholder:"PREFIX"`
	Object string `help:"Done to this: the name or id of a user, team, device, record or issue." placeholder:"X"`
	Device string `help:"Done by this device." placeholder:"ID"`
	Since  string `help:"Done since: a time, or a duration back such as 24h." placeholder:"WHEN"`
	Until  string `help:"Done before: like --since." placeholder:"WHEN"`
	Text   string `help:"With this in anything that it says, in whatever case." placeholder:"TEXT"`
	pageFlags
}

func (c *auditCmd) Help() string {
	return "For administrators. What each action means is in docs/audit.md.\nExample:\n  landfall audit --action user.grant --object emma --since 30d\n  landfall audit --text manager --since 2026-03-01 --until 2026-04-01"
}

// Run lists the audit.
func (c *auditCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	l, err := search(s, c.pageFlags, func(p pageFlags) (*wire.List[wire.AuditEntry], error) {
		return d.Audit(s.ctx, desk.AuditFilter{
			By: c.By, Action: c.Action, Object: c.Object, Device: c.Device, Since: instant(c.Since), Until: instant(c.Until), Text: c.Text, After: p.After, Limit: p.Limit,
		})
	})
	if err != nil {
		return err
	}
	return page(s, l, func(e *wire.AuditEntry) string { return fmt.Sprint(e.Seq) }, "Nothing was done that is like this.",
		[]string{"SEQ", "WHEN", "BY", "ACTION", "OBJECT", "OUTCOME", "DETAIL"}, func(e *wire.AuditEntry) []string {
			return []string{fmt.Sprint(e.Seq), when(e.At), doer(e), e.Action, e.Object, e.Outcome, details(e)}
		})
}

// doer is who, or what, did it.
func doer(e *wire.AuditEntry) string {
	switch {
	case e.By != "":
		return e.By
	case e.Device != "":
		return "device " + abbreviate(e.Device)
	}
	return "-"
}

func details(e *wire.AuditEntry) string {
	out := make([]string, 0, len(e.Detail))
	for _, name := range slices.Sorted(maps.Keys(e.Detail)) {
		out = append(out, name+"="+e.Detail[name])
	}
	return strings.Join(out, " ")
}
