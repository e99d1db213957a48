// Package desk is a typed client of the back-office API, as the command line
// and the demo use it. Errors are *landfall.Error.
package desk

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Desk calls a server as one signed-in person.
type Desk struct {
	Server string
	http   *client.HTTP
}

// New is the desk of whoever has the session token; "" for nobody yet.
func New(server, token string) *Desk {
	server = strings.TrimRight(server, "/")
	return &Desk{Server: server, http: client.NewHTTP(server, func() string { return token })}
}

// SignIn opens a session.
func SignIn(ctx context.Context, server, user, password string) (*wire.Session, error) {
	return post[wire.Session](ctx, New(server, ""), "/v1/sessions", wire.SignIn{User: user, Password: password})
}

func get[T any](ctx context.Context, d *Desk, path string, q url.Values) (*T, error) {
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	out := new(T)
	return out, d.http.Do(ctx, http.MethodGet, path, nil, out)
}

func post[T any](ctx context.Context, d *Desk, path string, in any) (*T, error) {
	out := new(T)
	return out, d.http.Do(ctx, http.MethodPost, path, in, out)
}

// SignOut ends the session.
func (d *Desk) SignOut(ctx context.Context) error {
	return d.http.Do(ctx, http.MethodDelete, "/v1/sessions/current", nil, nil)
}

// Me is who is signed in.
func (d *Desk) Me(ctx context.Context) (*landfall.Actor, error) {
	return get[landfall.Actor](ctx, d, "/v1/me", nil)
}

// Definition is the published definition.
func (d *Desk) Definition(ctx context.Context) (*wire.Definition, error) {
	return get[wire.Definition](ctx, d, "/v1/definition", nil)
}

// Publish checks or publishes a definition.
func (d *Desk) Publish(ctx context.Context, p wire.Publish) (*wire.Published, error) {
	return post[wire.Published](ctx, d, "/v1/definitions", p)
}

// Filter narrows and pages a list. Which of its fields count depends on the list.
type Filter struct {
	State, Kind, Queue, User, Device, Type, Record, Cause, Status, Since, After string
	Op, Until, Text, Order                                                      string
	Limit                                                                       int
}

func (f *Filter) query(names ...string) url.Values {
	all := map[string]string{
		"state": f.State, "kind": f.Kind, "queue": f.Queue, "user": f.User, "device": f.Device, "type": f.Type,
		"record": f.Record, "cause": f.Cause, "status": f.Status, "since": f.Since,
		"op": f.Op, "until": f.Until, "text": f.Text, "order": f.Order,
	}
	q := url.Values{}
	for _, n := range names {
		if all[n] != "" {
			q.Set(n, all[n])
		}
	}
	if f.After != "" {
		q.Set("after", f.After)
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	return q
}

// AnyType stands for the type of a record that is found by id or number alone.
const AnyType = "-"

func recordPath(ref string) string {
	typ, id, ok := strings.Cut(ref, "/")
	if !ok {
		typ, id = AnyType, ref
	}
	return "/v1/records/" + url.PathEscape(typ) + "/" + url.PathEscape(id)
}

// Records lists records of a type.
func (d *Desk) Records(ctx context.Context, typ string, f Filter) (*wire.List[wire.RecordView], error) {
	return get[wire.List[wire.RecordView]](ctx, d, "/v1/records/"+url.PathEscape(typ), f.query("status", "queue"))
}

// Record is one record, by TYPE/REF or REF.
func (d *Desk) Record(ctx context.Context, ref string) (*wire.RecordView, error) {
	return get[wire.RecordView](ctx, d, recordPath(ref), nil)
}

// History is every change of a record.
func (d *Desk) History(ctx context.Context, ref string) (*wire.List[landfall.Change], error) {
	return get[wire.List[landfall.Change]](ctx, d, recordPath(ref)+"/history", nil)
}

// Do changes a record at once.
func (d *Desk) Do(ctx context.Context, do wire.Do) (*wire.Done, error) {
	return post[wire.Done](ctx, d, "/v1/records", do)
}

// Import creates or changes many records of a type, each by the rules.
func (d *Desk) Import(ctx context.Context, typ string, req wire.Import) (*wire.Imported, error) {
	return post[wire.Imported](ctx, d, "/v1/records/"+url.PathEscape(typ)+"/import", req)
}

// Inbox lists inbox items.
func (d *Desk) Inbox(ctx context.Context, f Filter) (*wire.List[wire.ItemView], error) {
	return get[wire.List[wire.ItemView]](ctx, d, "/v1/inbox", f.query("state", "kind", "user", "device", "type", "record", "since", "op", "until", "text", "order"))
}

// Clean removes the parameters of items that were completed long ago, some at a time.
func (d *Desk) Clean(ctx context.Context, c wire.Clean) (*wire.Cleaning, error) {
	return post[wire.Cleaning](ctx, d, "/v1/inbox/clean", c)
}

// Settings lists settings.
func (d *Desk) Settings(ctx context.Context) (*wire.List[wire.SettingView], error) {
	return get[wire.List[wire.SettingView]](ctx, d, "/v1/settings", nil)
}

// SetSetting gives a setting a value.
func (d *Desk) SetSetting(ctx context.Context, name, value string) (*wire.SettingView, error) {
	out := new(wire.SettingView)
	return out, d.http.Do(ctx, http.MethodPut, "/v1/settings/"+url.PathEscape(name), wire.SetSetting{Value: value}, out)
}

// ResetSetting gives a setting its default.
func (d *Desk) ResetSetting(ctx context.Context, name string) (*wire.SettingView, error) {
	out := new(wire.SettingView)
	return out, d.http.Do(ctx, http.MethodDelete, "/v1/settings/"+url.PathEscape(name), nil, out)
}

// Item is one inbox item; with a state, when it is in that state.
func (d *Desk) Item(ctx context.Context, id, wait string) (*wire.ItemView, error) {
	q := url.Values{}
	if wait != "" {
		q.Set("wait", wait)
	}
	return get[wire.ItemView](ctx, d, "/v1/inbox/"+url.PathEscape(id), q)
}

// RetryItem judges the item's issue again.
func (d *Desk) RetryItem(ctx context.Context, id string) (*wire.Retries, error) {
	return post[wire.Retries](ctx, d, "/v1/inbox/"+url.PathEscape(id)+"/retry", nil)
}

// Issues lists issues.
func (d *Desk) Issues(ctx context.Context, f Filter) (*wire.List[wire.IssueView], error) {
	return get[wire.List[wire.IssueView]](ctx, d, "/v1/issues", f.query("state", "kind", "queue", "user", "device", "type", "record", "cause", "since"))
}

// Causes groups unresolved issues.
func (d *Desk) Causes(ctx context.Context) (*wire.List[wire.Cause], error) {
	return get[wire.List[wire.Cause]](ctx, d, "/v1/issues/causes", nil)
}

func issuePath(ref, verb string) string { return "/v1/issues/" + url.PathEscape(ref) + verb }

// Issue is one issue in detail.
func (d *Desk) Issue(ctx context.Context, ref string) (*wire.IssueDetail, error) {
	return get[wire.IssueDetail](ctx, d, issuePath(ref, ""), nil)
}

// Claim takes an issue for a while.
func (d *Desk) Claim(ctx context.Context, ref string) (*wire.IssueView, error) {
	return post[wire.IssueView](ctx, d, issuePath(ref, "/claim"), nil)
}

// Release gives an issue back.
func (d *Desk) Release(ctx context.Context, ref string) (*wire.IssueView, error) {
	return post[wire.IssueView](ctx, d, issuePath(ref, "/release"), nil)
}

// Resolve decides an issue.
func (d *Desk) Resolve(ctx context.Context, ref string, r wire.Resolve) (*wire.Resolution, error) {
	return post[wire.Resolution](ctx, d, issuePath(ref, "/resolve"), r)
}

// Comment remarks on an issue.
func (d *Desk) Comment(ctx context.Context, ref, text string) (*wire.IssueView, error) {
	return post[wire.IssueView](ctx, d, issuePath(ref, "/comments"), wire.Comment{Text: text})
}

// Assign sends an issue to a queue or person.
func (d *Desk) Assign(ctx context.Context, ref string, a wire.Assign) (*wire.IssueView, error) {
	return post[wire.IssueView](ctx, d, issuePath(ref, "/assign"), a)
}

// Reopen takes a resolved issue up again.
func (d *Desk) Reopen(ctx context.Context, ref, note string) (*wire.IssueView, error) {
	return post[wire.IssueView](ctx, d, issuePath(ref, "/reopen"), wire.Reopen{Note: note})
}

// Retry judges issues again: some of them, see wire.Retries.
func (d *Desk) Retry(ctx context.Context, r wire.Retry) (*wire.Retries, error) {
	return post[wire.Retries](ctx, d, "/v1/issues/retry", r)
}

// Repair edits what was refused and judges it again.
func (d *Desk) Repair(ctx context.Context, ref string, r wire.Repair) (*wire.Repaired, error) {
	return post[wire.Repaired](ctx, d, issuePath(ref, "/repair"), r)
}

// Queues lists the queues that the caller belongs to.
func (d *Desk) Queues(ctx context.Context) (*wire.List[wire.QueueView], error) {
	return get[wire.List[wire.QueueView]](ctx, d, "/v1/queues", nil)
}

// Queue lists what waits in a queue.
func (d *Desk) Queue(ctx context.Context, name string, f Filter) (*wire.List[wire.WorkItem], error) {
	return get[wire.List[wire.WorkItem]](ctx, d, "/v1/queues/"+url.PathEscape(name), f.query())
}

// Worklist lists what waits for the caller.
func (d *Desk) Worklist(ctx context.Context, f Filter) (*wire.List[wire.WorkItem], error) {
	return get[wire.List[wire.WorkItem]](ctx, d, "/v1/worklist", f.query())
}
