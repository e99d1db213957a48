package store

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/landfall-sync/landfall"
)

// Encode is how drivers keep a row's body: JSON without HTML escapes, so that
// canonical values come back byte for byte.
func Encode(v any) ([]byte, error) {
	if row, ok := v.(*IssueRow); ok {
		v = issueBody{row, row.Issue.ID, row.Issue.Version, row.Issue.State, row.Issue.Queue, row.Issue.Assignee}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Decode reads what Encode wrote.
func Decode[T any](b []byte) (*T, error) {
	v := new(T)
	row, ok := any(v).(*IssueRow)
	if !ok {
		return v, json.Unmarshal(b, v)
	}
	body := issueBody{IssueRow: row}
	if err := json.Unmarshal(b, &body); err != nil {
		return nil, err
	}
	i := &row.Issue
	i.ID, i.Version, i.State, i.Queue, i.Assignee = body.ID, body.Version, body.State, body.Queue, body.Assignee
	return v, nil
}

// issueBody adds what an issue leaves to its record.
type issueBody struct {
	*IssueRow
	ID       string
	Version  int64
	State    string
	Queue    string
	Assignee string
}

// MatchItem reports whether the item passes the filter, but for its text.
func (f *ItemFilter) MatchItem(i *Item) bool {
	return (f.State == "" || f.State == i.State) && (f.Kind == "" || f.Kind == i.Kind()) && (f.Op == "" || f.Op == i.Op) &&
		(f.User == "" || f.User == i.User) && (f.Replica == "" || f.Replica == i.Key.Replica) &&
		(f.Type == "" || f.Type == i.Type) && (f.Record == "" || f.Record == i.Record) &&
		(f.Since.IsZero() || !i.ReceivedAt.Before(f.Since)) && (f.Until.IsZero() || i.ReceivedAt.Before(f.Until))
}

// Unresolved is the state of IssueFilter that takes open and claimed issues.
const Unresolved = "unresolved"

// MatchIssue reports whether the issue passes the filter.
func (f *IssueFilter) MatchIssue(i *landfall.Issue) bool {
	state := f.State == "" || f.State == i.State || f.State == Unresolved && i.State != landfall.IssueResolved
	return state && (f.Kind == "" || f.Kind == i.Kind) && (f.Queue == "" || f.Queue == i.Queue) &&
		(f.User == "" || f.User == i.Author) && (f.Device == "" || f.Device == i.Device) &&
		(f.Type == "" || f.Type == i.RecordType) && (f.Record == "" || f.Record == i.Record) &&
		(f.Cause == "" || f.Cause == i.Cause) && (f.Since.IsZero() || !i.ReceivedAt.Before(f.Since))
}

// IssueCursor reads the cursor of a list of issues: a number; 0 for none.
func IssueCursor(after string) (int64, error) {
	if after == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(after, 10, 64)
	if err != nil || n < 1 {
		return 0, landfall.Errorf(landfall.CodeInvalid, "this is not where a list of issues can go on").WithHint("use what the last page gave as next")
	}
	return n, nil
}
