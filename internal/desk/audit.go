package desk

import (
	"context"
	"net/url"
	"strconv"

	"github.com/landfall-sync/landfall/internal/wire"
)

// AuditFilter narrows and pages the audit.
type AuditFilter struct {
	By, Action, Object, Device, Since, Until, Text, After string
	Limit                                                 int
}

// Audit lists who did what.
func (d *Desk) Audit(ctx context.Context, f AuditFilter) (*wire.List[wire.AuditEntry], error) {
	q := url.Values{}
	for name, value := range map[string]string{
		"by": f.By, "action": f.Action, "object": f.Object, "device": f.Device, "since": f.Since, "until": f.Until, "text": f.Text, "after": f.After,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	return get[wire.List[wire.AuditEntry]](ctx, d, "/v1/audit", q)
}
