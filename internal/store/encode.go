package store

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/landfall-sync/landfall"
)

// The rows that every verdict writes are encoded by hand: this is what the
// server does most. The text is the same JSON that encoding/json reads; a test
// holds the two together.

// object appends the members of a JSON object; empty ones are left out.
type object struct {
	b     []byte
	names []string
}

func (o *object) name(n string) {
	if c := o.b[len(o.b)-1]; c != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), n...), '"', ':')
}

func (o *object) text(n, v string) {
	if v != "" {
		o.name(n)
		o.b = quote(o.b, v)
	}
}

func (o *object) number(n string, v int64) {
	if v != 0 {
		o.name(n)
		o.b = strconv.AppendInt(o.b, v, 10)
	}
}

func (o *object) flag(n string, v bool) {
	if v {
		o.name(n)
		o.b = append(o.b, "true"...)
	}
}

func (o *object) time(n string, v time.Time) {
	if !v.IsZero() {
		o.name(n)
		o.b = append(v.AppendFormat(append(o.b, '"'), time.RFC3339Nano), '"')
	}
}

func (o *object) fields(n string, f landfall.Fields) {
	if f == nil {
		return
	}
	o.name(n)
	o.b = append(o.b, '{')
	o.names = o.names[:0]
	for k := range f {
		o.names = append(o.names, k)
	}
	slices.Sort(o.names)
	for _, k := range o.names {
		o.name(k)
		if v := f[k]; len(v) > 0 {
			o.b = append(o.b, v...)
		} else {
			o.b = append(o.b, "null"...)
		}
	}
	o.b = append(o.b, '}')
}

func (o *object) key(n string, k landfall.Key) {
	if k == (landfall.Key{}) {
		return
	}
	o.name(n)
	o.b = append(o.b, '{')
	o.text("replica", k.Replica)
	o.number("incarnation", k.Incarnation)
	o.number("n", k.N)
	o.b = append(o.b, '}')
}

func (o *object) edit(n string, e *landfall.Edit) {
	if e == nil {
		return
	}
	o.name(n)
	o.b = append(o.b, '{')
	o.editMembers(e)
	o.b = append(o.b, '}')
}

func (o *object) editMembers(e *landfall.Edit) {
	o.text("author", e.Author)
	o.text("by", e.By)
	o.time("at", e.At)
	o.number("seq", e.Seq)
}

// other is for what is rare.
func (o *object) other(n string, v any) error {
	b, err := Encode(v)
	if err == nil {
		o.name(n)
		o.b = append(o.b, b...)
	}
	return err
}

const hexDigits = "0123456789abcdef"

// quote appends a JSON string. What is not UTF-8 becomes the replacement
// character, as in encoding/json.
func quote(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		if c == '"' || c == '\\' {
			b = append(b, '\\', c)
		} else {
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		from = i + 1
	}
	return append(append(b, s[from:]...), '"')
}

// EncodeRecord is a record as devices get it: without who edited its fields.
func EncodeRecord(b []byte, r *landfall.Record) []byte {
	o := object{b: append(b, '{')}
	o.name("type")
	o.b = quote(o.b, r.Type)
	o.name("id")
	o.b = quote(o.b, r.ID)
	o.name("version")
	o.b = strconv.AppendInt(o.b, r.Version, 10)
	o.text("status", r.Status)
	o.text("number", r.Number)
	if r.Fields == nil {
		o.name("fields")
		o.b = append(o.b, "null"...)
	}
	o.fields("fields", r.Fields)
	o.text("queue", r.Queue)
	o.text("assignee", r.Assignee)
	o.text("created_by", r.CreatedBy)
	o.time("created_at", r.CreatedAt)
	o.time("updated_at", r.UpdatedAt)
	o.number("definition", r.Definition)
	o.flag("deleted", r.Deleted)
	if r.StatusEdit != nil {
		o.edit("status_edit", r.StatusEdit)
	}
	return append(o.b, '}')
}

// shared is one edit and the fields that it is of.
type shared struct {
	landfall.Edit
	Of []string `json:"of"`
}

// EncodeEdits is who edited which fields: each edit once, with its fields.
func EncodeEdits(b []byte, edits map[string]landfall.Edit) []byte {
	if len(edits) == 0 {
		return b
	}
	var all []shared
	for _, name := range slices.Sorted(maps.Keys(edits)) {
		e := edits[name]
		i := slices.IndexFunc(all, func(s shared) bool {
			return s.Seq == e.Seq && s.Author == e.Author && s.By == e.By && s.At.Equal(e.At)
		})
		if i < 0 {
			all = append(all, shared{Edit: e, Of: []string{name}})
		} else {
			all[i].Of = append(all[i].Of, name)
		}
	}
	b = append(b, '[')
	for i := range all {
		if i > 0 {
			b = append(b, ',')
		}
		o := object{b: append(b, '{')}
		o.editMembers(&all[i].Edit)
		o.name("of")
		o.b = append(o.b, '[')
		for k, name := range all[i].Of {
			if k > 0 {
				o.b = append(o.b, ',')
			}
			o.b = quote(o.b, name)
		}
		o.b = append(o.b, ']', '}')
		b = o.b
	}
	return append(b, ']')
}

// DecodeRecord reads what EncodeRecord and EncodeEdits wrote.
func DecodeRecord(body, edits []byte) (*landfall.Record, error) {
	r := &landfall.Record{}
	if err := json.Unmarshal(body, r); err != nil || len(edits) == 0 {
		return r, err
	}
	var all []shared
	if err := json.Unmarshal(edits, &all); err != nil {
		return nil, err
	}
	r.Edits = map[string]landfall.Edit{}
	for _, s := range all {
		for _, name := range s.Of {
			r.Edits[name] = s.Edit
		}
	}
	return r, nil
}

// EncodeChange is a change without its place and its record's id, which the
// driver keeps as the row's key.
func EncodeChange(b []byte, c *landfall.Change) []byte {
	o := object{b: append(b, '{')}
	o.text("type", c.Type)
	o.text("action", string(c.Action))
	o.fields("set", c.Set)
	o.fields("was", c.Was)
	o.text("transition", c.Transition)
	o.text("from", c.From)
	o.text("to", c.To)
	o.text("author", c.Author)
	o.text("by", c.By)
	o.time("at", c.At)
	o.time("edited", c.Edited)
	o.key("origin", c.Origin)
	o.fields("lost", c.Lost)
	o.text("issue", c.Issue)
	o.text("note", c.Note)
	o.flag("derived", c.Derived)
	return append(o.b, '}')
}

// itemBody is what an item has beside its columns.
type itemBody struct {
	Type     string            `json:"type,omitempty"`
	Op       landfall.Op       `json:"op,omitempty"`
	Receipt  landfall.Receipt  `json:"receipt"`
	Refs     []string          `json:"refs,omitempty"`
	Mentions []string          `json:"mentions,omitempty"`
	Outcome  *landfall.Outcome `json:"outcome,omitempty"`
	Took     bool              `json:"took,omitempty"`
	Unbased  bool              `json:"unbased,omitempty"`
	History  []ItemEvent       `json:"history,omitempty"`
	Cleaned  *Cleaned          `json:"cleaned,omitempty"`
}

// EncodeItem is an item without its columns: key, user, hash, bytes, state,
// record, holder, and when it was received and edited. That it was queued when
// it was received takes one word, and so does it that its judging began when it
// ended, as the clock of a transaction stands.
func EncodeItem(b []byte, i *Item) ([]byte, error) {
	o := object{b: append(b, '{')}
	o.text("type", i.Type)
	o.text("op", string(i.Op))
	if r := &i.Receipt; len(r.Messages) > 0 {
		if err := o.other("receipt", r); err != nil {
			return nil, err
		}
	} else {
		o.receipt(r)
	}
	if len(i.Mentions) > 0 {
		if err := o.other("mentions", i.Mentions); err != nil {
			return nil, err
		}
	}
	if len(i.Refs) > 1 || len(i.Refs) == 1 && i.Refs[0] != i.Record {
		if err := o.other("refs", i.Refs); err != nil {
			return nil, err
		}
	}
	if i.Outcome != nil {
		if err := o.other("outcome", i.Outcome); err != nil {
			return nil, err
		}
	}
	o.flag("took", i.Took)
	o.flag("unbased", i.Unbased)
	history := i.History
	if len(history) > 0 && history[0] == (ItemEvent{At: i.ReceivedAt, State: Queued}) {
		history = history[1:]
		o.flag("queued", true)
		if len(history) > 1 && history[0] == (ItemEvent{At: history[1].At, State: InProgress}) {
			history = history[1:]
			o.flag("begun", true)
		}
	}
	o.history(history)
	if i.Cleaned != nil {
		if err := o.other("cleaned", i.Cleaned); err != nil {
			return nil, err
		}
	}
	return append(o.b, '}'), nil
}

func (o *object) receipt(r *landfall.Receipt) {
	if r.N == 0 && r.Result == "" && r.Kind == "" && r.Issue == "" {
		return
	}
	o.name("receipt")
	o.b = append(o.b, '{')
	o.number("n", r.N)
	o.text("result", string(r.Result))
	o.number("seq", r.Seq)
	o.text("issue", r.Issue)
	o.text("kind", string(r.Kind))
	o.flag("waiting", r.Waiting)
	o.text("note", r.Note)
	o.b = append(o.b, '}')
}

func (o *object) history(events []ItemEvent) {
	if len(events) == 0 {
		return
	}
	o.name("history")
	o.b = append(o.b, '[')
	for i, e := range events {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = append(o.b, '{')
		o.time("at", e.At)
		o.text("state", string(e.State))
		o.text("by", e.By)
		o.text("text", e.Text)
		o.text("issue", e.Issue)
		o.b = append(o.b, '}')
	}
	o.b = append(o.b, ']')
}

// DecodeItem puts what EncodeItem wrote into an item that has its columns.
func DecodeItem(body []byte, i *Item) error {
	v := struct {
		itemBody
		Queued bool `json:"queued"`
		Begun  bool `json:"begun"`
	}{}
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	i.Type, i.Op, i.Receipt, i.Refs, i.Mentions, i.Outcome, i.Took = v.Type, v.Op, v.Receipt, v.Refs, v.Mentions, v.Outcome, v.Took
	i.Unbased, i.History, i.Cleaned = v.Unbased, v.History, v.Cleaned
	if i.Refs == nil && i.Record != "" {
		i.Refs = []string{i.Record}
	}
	if v.Begun && len(i.History) > 0 {
		i.History = append([]ItemEvent{{At: i.History[0].At, State: InProgress}}, i.History...)
	}
	if v.Queued {
		i.History = append([]ItemEvent{{At: i.ReceivedAt, State: Queued}}, i.History...)
	}
	return nil
}
