package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/tabular"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Server takes rows in.
type Server interface {
	Import(ctx context.Context, typ string, req wire.Import) (*wire.Imported, error)
}

// Import is an import of a file into a type.
type Import struct {
	Server  Server
	Address string // of the server
	App     string // name of the app
	Type    *definition.Type

	Path   string
	Format tabular.Format
	Key    string   // field whose value makes the id of a record; "" for none
	Ignore []string // columns to pass over
	Batch  int      // lines a call; 0: as many as there can be
	DryRun bool

	// Refused is told of each refused line, Progress of each batch that the
	// server acknowledged, Note of what people should know. Each may be nil.
	Refused  func(line int, reason string)
	Progress func(Progress)
	Note     func(text string)
}

// Progress is how far an import has come.
type Progress struct {
	Counts
	Before      int   // lines that earlier runs have accounted for
	Bytes, Size int64 // of the file
}

// Result is what became of a file.
type Result struct {
	Counts
	// RefusedFile holds the refused lines; "" when there are none.
	RefusedFile string `json:"refused_file,omitempty"`
	DryRun      bool   `json:"dry_run,omitempty"`
}

// The bounds of one call, in bytes as sent. The server takes up to 2 MiB; one row
// alone may be larger than what is wise for many.
const (
	batchBytes = 1 << 20
	rowBytes   = 3 << 19
	heldBytes  = 8 << 20 // of lines in memory, the refused ones included
)

// Run imports the file from where the last run was interrupted. When ctx is
// cancelled it ends after the batch under way; that, and a server that can't be
// reached, is CodeUnavailable, and the same call goes on later.
func (im *Import) Run(ctx context.Context) (*Result, error) {
	f, err := os.Open(im.Path)
	if err != nil {
		return nil, landfall.Errorf(landfall.CodeInvalid, "%s can't be read", im.Path).WithHint("%v", errors.Unwrap(err))
	}
	defer func() { _ = f.Close() }() // it was only read
	digest, size, err := digestOf(f)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if im.Batch <= 0 || im.Batch > wire.MaxImportRows {
		im.Batch = wire.MaxImportRows
	}
	r := &running{Import: im, size: size, hash: sha256.New()}
	if r.reader, err = tabular.NewReader(io.TeeReader(f, r.hash), im.Format); err != nil {
		return nil, err
	}
	if r.columns, err = newColumns(im.App, im.Type, im.Key, im.Ignore, digest); err != nil {
		return nil, err
	}
	if im.Format == tabular.CSV {
		if err := r.columns.header(r.reader.Columns); err != nil {
			return nil, err
		}
	}
	if err := r.begin(digest); err != nil {
		return nil, err
	}
	err = r.all(ctx)
	if cerr := r.refused.close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, err
	}
	return r.end()
}

// running is an import under way.
type running struct {
	*Import
	reader  *tabular.Reader
	columns *columns
	hash    hash.Hash // of what was read
	size    int64
	state   *state
	from    int // lines before it were accounted for by an earlier run
	before  int // how many rows those were
	refused refusedFile
	rest    *tabular.Row // read, and too much for the batch before
}

// entry is a row of the batch under way.
type entry struct {
	row   *tabular.Row
	fault *tabular.Fault // nil for one that is sent
}

// batch is what is sent in one call, and the lines that are refused unsent.
type batch struct {
	entries []entry
	rows    []wire.ImportRow
	bytes   int // as sent
	held    int // in memory
}

func (r *running) note(text string) {
	if r.Note != nil {
		r.Note(text)
	}
}

// begin finds out where to go on, and puts down that the import has begun.
func (r *running) begin(digest string) (err error) {
	begin := state{Digest: digest, Format: r.Format, Line: 1, Asked: asked{Server: r.Address, Type: r.Type.Name, Key: r.Key, Ignore: r.Ignore}}
	r.state = &begin
	r.refused = refusedFile{path: refusedPath(r.Path, r.Format), r: r.reader, hash: sha256.New(), taken: func(name string) bool { return r.Type.Fields[name] != nil }}
	if r.DryRun {
		return nil
	}
	if r.state, err = resumed(r.Path, begin); err != nil {
		return err
	}
	if same, err := r.refused.resume(r.state.Bytes, r.state.Hash); err != nil {
		return err
	} else if !same {
		r.note(r.refused.path + " is not as the interrupted import left it: beginning anew, so that no refused line is missing")
		r.state = &begin
	}
	c := r.state.Counts
	r.before = c.Imported + c.Unchanged + c.Refused
	if r.from = r.state.Line; r.from > 1 {
		r.note("going on at line " + Grouped(int64(r.from)))
	}
	return r.state.save(r.Path)
}

// all sends what there is, batch by batch.
func (r *running) all(ctx context.Context) error {
	for {
		b, err := r.collect()
		if errors.Is(err, io.EOF) {
			return r.unchangedFile()
		}
		if err != nil {
			return err
		}
		// A batch under way is finished: its answer says what became of its lines.
		if err := r.send(context.WithoutCancel(ctx), b); err != nil {
			return r.later(err)
		}
		if ctx.Err() != nil {
			return &landfall.Error{Code: landfall.CodeUnavailable, Message: "interrupted before line " + Grouped(int64(r.state.Line)), Hint: r.again(), Err: ctx.Err()}
		}
	}
}

func (r *running) again() string {
	if r.DryRun {
		return "nothing was stored"
	}
	return "run the same command again to go on from there"
}

// later adds to an error of the server's how to go on.
func (r *running) later(err error) error {
	e := (*landfall.Error)(nil)
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	c.Message += "; stopped before line " + Grouped(int64(r.state.Line))
	c.Hint = strings.TrimPrefix(c.Hint+"; "+r.again(), "; ")
	return &c
}

// unchangedFile: what was read is what was looked at first.
func (r *running) unchangedFile() error {
	if got := hex.EncodeToString(r.hash.Sum(nil)); got != r.state.Digest {
		return landfall.Errorf(landfall.CodeConflict, "%s has changed while it was read", r.Path).WithHint("run the import again when nobody writes to it; remove %s first", statePath(r.Path))
	}
	return nil
}

// collect reads the next batch; io.EOF when there is none.
func (r *running) collect() (*batch, error) {
	b := &batch{}
	for len(b.entries) < r.Batch && b.held < heldBytes {
		row := r.rest
		r.rest = nil
		if row == nil {
			var err error
			if row, err = r.reader.Next(); errors.Is(err, io.EOF) && len(b.entries) > 0 {
				return b, nil
			} else if err != nil {
				return nil, err
			}
		}
		if full, err := r.take(b, row); full || err != nil {
			return b, err
		}
	}
	return b, nil
}

// take adds a row to the batch, unless that is full.
func (r *running) take(b *batch, row *tabular.Row) (full bool, err error) {
	asks, fault := r.columns.row(row)
	if row.Line < r.from {
		return false, nil // accounted for; its id is known now
	}
	if fault != nil && row.Line == 1 && row.Bad == nil { // a name that is wrong on the first line is on all
		for _, c := range row.Cells {
			if e := r.columns.check(c.Name); e != nil {
				e.Message = "line 1: " + e.Message
				return false, e
			}
		}
	}
	size := 150
	for name, v := range asks.Set {
		size += len(name) + len(v) + 4
	}
	switch {
	case fault == nil && size > rowBytes:
		fault = &tabular.Fault{Reason: "it is larger than 1.5 MiB", Hint: "Make its texts shorter."}
	case fault == nil && len(b.rows) > 0 && b.bytes+size > batchBytes:
		r.rest = row
		delete(r.columns.seen, asks.ID) // it will be looked at again
		return true, nil
	}
	b.entries = append(b.entries, entry{row, fault})
	b.held += len(row.Raw)
	for _, c := range row.Cells {
		b.held += len(c.Name) + len(c.Text) + len(c.JSON)
	}
	if fault == nil {
		b.rows, b.bytes = append(b.rows, asks), b.bytes+size
	}
	return false, nil
}

// send has a batch judged, and makes durable what came of it.
func (r *running) send(ctx context.Context, b *batch) error {
	answers := map[int]wire.ImportedRow{}
	if len(b.rows) > 0 {
		done, err := r.Server.Import(ctx, r.Type.Name, wire.Import{Rows: b.rows, DryRun: r.DryRun})
		if err != nil {
			return err
		}
		for _, a := range done.Rows {
			answers[a.Line] = a
		}
	}
	var last *tabular.Row
	for _, e := range b.entries {
		last = e.row
		if err := r.account(e, answers); err != nil {
			return err
		}
	}
	r.state.Line = last.Line + last.Lines
	if !r.DryRun {
		if err := r.refused.keep(); err != nil {
			return err
		}
		r.state.Bytes, r.state.Hash = r.refused.bytes, r.refused.digest()
		if err := r.state.save(r.Path); err != nil {
			return err
		}
	}
	if r.Progress != nil {
		r.Progress(Progress{r.state.Counts, r.before, last.End, r.size})
	}
	return nil
}

// account counts a row, and keeps it when it was refused.
func (r *running) account(e entry, answers map[int]wire.ImportedRow) error {
	if e.fault == nil {
		a, ok := answers[e.row.Line]
		if !ok {
			return landfall.Errorf(landfall.CodeInternal, "the server did not answer for line %d", e.row.Line).WithHint("run the same command again")
		}
		switch a.Result {
		case wire.ImportApplied:
			r.state.Counts.Imported++
			return nil
		case wire.ImportUnchanged:
			r.state.Counts.Unchanged++
			return nil
		}
		var faults []tabular.Fault
		for _, m := range a.Messages {
			faults = append(faults, tabular.Fault{Reason: m.Text, Hint: m.Hint})
		}
		if e.fault = join(faults); e.fault.Reason == "" {
			e.fault.Reason = string(a.Kind)
		}
	}
	r.state.Counts.Refused++
	reason := strings.TrimSuffix(e.fault.Reason, ".")
	if e.fault.Hint != "" {
		reason += " (" + strings.TrimSuffix(e.fault.Hint, ".") + ")"
	}
	if r.Refused != nil {
		r.Refused(e.row.Line, reason)
	}
	if r.DryRun {
		return nil
	}
	return r.refused.write(e.row, reason)
}

// end takes the state away: the next run begins at the first line, and finds
// everything unchanged.
func (r *running) end() (*Result, error) {
	out := &Result{Counts: r.state.Counts, DryRun: r.DryRun}
	if r.DryRun {
		return out, nil
	}
	if out.Refused > 0 {
		out.RefusedFile = r.refused.path
		aside, err := r.refused.settle()
		if err != nil {
			return nil, err
		}
		if aside != "" {
			r.note("an older file of refused lines is now " + aside)
		}
	}
	return out, os.Remove(statePath(r.Path))
}
