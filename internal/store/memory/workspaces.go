package memory

import (
	"fmt"
	"math"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/store"
)

// Head implements store.Reader.
func (t *tx) Head(ws string) (*store.Head, error) { return get[store.Head](t, kv.Key("head", ws)) }

// Workspaces implements store.Reader.
func (t *tx) Workspaces() ([]string, error) {
	return names(t.up(kv.Key("head"), ""), math.MaxInt), nil
}

// CreateWorkspace implements store.Writer.
func (t *tx) CreateWorkspace(ws string, h store.Head) error {
	if _, ok := t.kv.Get(kv.Key("head", ws)); ok {
		return landfall.Errorf(landfall.CodeConflict, "there is a workspace %q already", ws)
	}
	return t.put(kv.Key("head", ws), &h)
}

// SetHead implements store.Writer.
func (t *tx) SetHead(ws string, h store.Head) error {
	old, err := t.Head(ws)
	if err != nil {
		return err
	}
	if old == nil {
		return fmt.Errorf("there is no workspace %q", ws)
	}
	if h.Seq > old.Seq {
		t.kv.Put(kv.Key("commit", ws, kv.Number(h.Seq)), []byte(h.Mark))
	}
	return t.put(kv.Key("head", ws), &h)
}

// Mark implements store.Reader: a commit stands under its last sequence.
func (t *tx) Mark(ws string, seq int64) (string, error) {
	if seq < 1 {
		return "", nil
	}
	for _, mark := range t.up(kv.Key("commit", ws), kv.Behind("commit", ws, kv.Number(seq-1))) {
		return string(mark), nil
	}
	return "", nil
}

// Definition implements store.Reader.
func (t *tx) Definition(ws string, version int64) (*store.DefinitionRow, error) {
	return get[store.DefinitionRow](t, kv.Key("definition", ws, kv.Number(version)))
}

// PutDefinition implements store.Writer.
func (t *tx) PutDefinition(ws string, d *store.DefinitionRow) error {
	return t.put(kv.Key("definition", ws, kv.Number(d.Version)), d)
}

// Counter implements store.Reader.
func (t *tx) Counter(ws, series string) (int64, error) {
	return t.number(kv.Key("counter", ws, series))
}

// SetCounter implements store.Writer.
func (t *tx) SetCounter(ws, series string, n int64) error {
	t.putNumber(kv.Key("counter", ws, series), n)
	return nil
}

// Grants implements store.Reader.
func (t *tx) Grants(ws, user string) (out []store.GrantRow, err error) {
	for _, b := range t.up(kv.Key("grant", ws, user), "") {
		g, err := store.Decode[store.GrantRow](b)
		if err != nil {
			return nil, err
		}
		out = append(out, *g)
	}
	return out, nil
}

// PutGrant implements store.Writer.
func (t *tx) PutGrant(ws string, g store.GrantRow) error {
	return t.put(kv.Key("grant", ws, g.User, kv.Number(g.From), g.Key), &g)
}
