package memory

import (
	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/kv"
)

// Referrers implements store.Reader.
func (t *tx) Referrers(ws, target, typ, field, after string, limit int) ([]string, error) {
	in := kv.Key("link", ws, target, typ, field)
	return names(t.up(in, kv.Key("link", ws, target, typ, field, after)), limit), nil
}

// SetLinks implements store.Writer.
func (t *tx) SetLinks(ws, typ, id string, links []landfall.Link) error {
	var leads []string
	for _, l := range links {
		leads = append(leads, kv.Key("link", ws, l.Target, typ, l.Field, id))
	}
	t.index(kv.Key("links", ws, id), leads...)
	return nil
}
