package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Export is a device's outbox with everything that is needed to hand it in
// without the device. It holds what its user entered: it is to be encrypted.
type Export struct {
	Format      string          `json:"format"`
	Version     int             `json:"version"`
	Server      string          `json:"server"`
	Workspace   string          `json:"workspace"`
	Replica     string          `json:"replica"`
	User        string          `json:"user"`
	Incarnation int64           `json:"incarnation"`
	Next        int64           `json:"next"`
	Clock       time.Time       `json:"clock"` // the device's, when this was written
	Definition  int64           `json:"definition,omitempty"`
	Client      string          `json:"client,omitempty"`
	Checkpoint  string          `json:"checkpoint,omitempty"`
	LostThrough int64           `json:"lost_through,omitempty"`
	Entries     []ExportedEntry `json:"entries"`
}

// ExportedEntry is one change, in order of (incarnation, n). One with a receipt is
// there to be offered again, should the server have lost it.
type ExportedEntry struct {
	Incarnation int64             `json:"incarnation"`
	N           int64             `json:"n"`
	Hash        string            `json:"hash"`
	Previous    string            `json:"previous,omitempty"`
	Bytes       []byte            `json:"bytes"` // as they are sent
	Receipt     *landfall.Receipt `json:"receipt,omitempty"`
	Unsent      bool              `json:"unsent,omitempty"` // the server has given no answer
}

const (
	exportFormat  = "landfall-outbox"
	exportVersion = 1
	maxExport     = 512 << 20
	mostNumber    = 1 << 52 // that every program can count on from, exactly
)

// Export gives all of the outbox out. What is in it counts as sent from then on:
// its bytes never change any more.
func (c *Client) Export(ctx context.Context) (out *Export, err error) {
	err = c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		out = &Export{
			Format: exportFormat, Version: exportVersion, Server: s.Server, Workspace: s.Workspace, Replica: s.Replica, User: s.User,
			Incarnation: s.Incarnation, Next: s.Next, Clock: c.opts.Clock().UTC(), Client: c.opts.Program, Checkpoint: s.Checkpoint,
			LostThrough: s.LostThrough, Entries: []ExportedEntry{},
		}
		if s.Definition != nil {
			out.Definition = s.Definition.Version
		}
		if s.Adrift {
			out.LostThrough = s.Next - 1
		}
		all, err := tx.Entries()
		if err != nil {
			return err
		}
		for _, e := range all {
			if e.State == Pending {
				if e.Previous, err = s.previous(tx, e.Incarnation, e); err != nil {
					return err
				}
				e.State = Sent
				if err := tx.PutEntry(e); err != nil {
					return err
				}
			}
			out.Entries = append(out.Entries, ExportedEntry{Incarnation: e.Incarnation, N: e.N, Hash: e.Hash, Previous: e.Previous, Bytes: e.Bytes, Receipt: e.Receipt, Unsent: e.unsettled()})
		}
		return nil
	})
	return out, err
}

// Unsent counts what the server had given no answer to.
func (x *Export) Unsent() (n int) {
	for i := range x.Entries {
		if x.Entries[i].Unsent {
			n++
		}
	}
	return n
}

// Write writes the export as ReadExport reads it.
func (x *Export) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(x)
}

// ReadExport reads an export, and checks that all of it is what was written.
func ReadExport(r io.Reader) (*Export, error) {
	bad := func(what string, args ...any) error {
		return landfall.Errorf(landfall.CodeInvalid, "this is not the export of a device: "+what, args...).WithHint("nothing was landed; make it again on the device: landfall field export --out FILE")
	}
	b, err := io.ReadAll(io.LimitReader(r, maxExport+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxExport {
		return nil, bad("it is too large")
	}
	x := &Export{}
	if err := json.Unmarshal(b, x); err != nil || x.Format != exportFormat {
		return nil, bad("it can't be read")
	}
	switch {
	case x.Version != exportVersion:
		return nil, landfall.Errorf(landfall.CodeInvalid, "this export was made by another version of Landfall").WithHint("update this program")
	case uuid.Validate(x.Replica) != nil:
		return nil, bad("it does not say which device")
	}
	for i := range x.Entries {
		e := &x.Entries[i]
		switch {
		case e.Incarnation < 1 || e.N < 1 || e.N > mostNumber || e.Incarnation > x.Incarnation:
			return nil, bad("entry %d has no number that can be", i+1)
		case i > 0 && (e.Incarnation < x.Entries[i-1].Incarnation || e.Incarnation == x.Entries[i-1].Incarnation && e.N <= x.Entries[i-1].N):
			return nil, bad("entry %d is not in order", i+1)
		case core.Hash(e.Bytes) != e.Hash || !json.Valid(e.Bytes) || len(bytes.TrimSpace(e.Bytes)) != len(e.Bytes):
			return nil, bad("entry %d is not what its hash says", i+1)
		}
	}
	return x, nil
}

// Pushes are the exported changes as the device would push them, consecutive in
// number, within the limits.
func (x *Export) Pushes(l wire.Limits) ([][]byte, error) {
	var out [][]byte
	for from := 0; from < len(x.Entries); {
		to := x.chunk(from, l)
		first := &x.Entries[from]
		p := wire.Push{
			Replica: x.Replica, Incarnation: first.Incarnation, Clock: x.Clock, Protocol: wire.Protocol, Definition: x.Definition, Client: x.Client,
			First: first.N, PreviousHash: first.Previous, Checkpoint: x.Checkpoint, Waiting: len(x.Entries) - from, LostThrough: x.lost(from, to),
		}
		if from > 0 && x.follows(from) {
			p.PreviousHash = x.Entries[from-1].Hash
		}
		var sent [][]byte
		for i := from; i < to; i++ {
			sent = append(sent, x.Entries[i].Bytes)
		}
		body, err := pushBody(p, sent)
		if err != nil {
			return nil, err
		}
		out, from = append(out, body), to
	}
	return out, nil
}

// follows: the entry has the number after that of the one before it.
func (x *Export) follows(i int) bool {
	return x.Entries[i-1].Incarnation == x.Entries[i].Incarnation && x.Entries[i-1].N+1 == x.Entries[i].N
}

// chunk is where the push that begins at an entry ends; never within a group.
func (x *Export) chunk(from int, l wire.Limits) int {
	most := pushMutations
	if l.Batch > 0 {
		most = min(most, l.Batch)
	}
	size, end := 0, from
	for end < len(x.Entries) && (end == from || x.follows(end)) {
		m, err := decode(&Entry{Bytes: x.Entries[end].Bytes})
		if err != nil {
			m = landfall.Mutation{} // what can't be read the server keeps as it is
		}
		to := end + 1
		for m.Group != nil && m.Op != landfall.OpVoid && to < len(x.Entries) && to-end < m.Group.Of && x.follows(to) {
			to++
		}
		for i := end; i < to; i++ {
			size += len(x.Entries[i].Bytes)
		}
		if end > from && (to-from > most || size > pushBytes) {
			break
		}
		end = to
	}
	return end
}

// lost is the number up to which a push was made on a history that was lost.
func (x *Export) lost(from, to int) int64 {
	through := x.LostThrough
	if x.Entries[from].Incarnation < x.Incarnation {
		through = x.Entries[to-1].N
	}
	if through < x.Entries[from].N {
		return 0
	}
	return through
}
