package rehearse

import (
	"slices"
	"strconv"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// issuePage is how many issues are judged on one state.
const issuePage = 50

// issues retries every unresolved issue under both definitions, each on its own,
// on the records as they are.
func (r *run) issues() error {
	for after := ""; ; {
		n := 0
		err := r.view(func(s store.Reader) error {
			rows, err := s.Issues(r.ws, store.IssueFilter{State: store.Unresolved}, store.Page{After: after, Limit: issuePage})
			n = len(rows)
			for _, row := range rows {
				if err == nil {
					err = r.ctx.Err()
				}
				if err == nil {
					err = r.issue(s, row)
				}
				after = strconv.FormatInt(row.Issue.Number, 10)
			}
			return err
		})
		if err != nil || n == 0 {
			return err
		}
		r.progress("issues", r.out.Issues.Open, 0)
	}
}

func (r *run) issue(s store.Reader, row *store.IssueRow) error {
	i, o := &row.Issue, &r.out.Issues
	o.Open++
	keys := core.IssueAudience(r.now, i.Author, i.Queue, i.Assigned())
	if !slices.Equal(keys, core.IssueAudience(r.next, i.Author, i.Queue, i.Assigned())) {
		o.Sight++
	}
	was, err := r.cfg.Retrier.Rejudge(s, r.ws, r.now, row)
	if err != nil {
		return err
	}
	is, err := r.cfg.Retrier.Rejudge(seen{s, r}, r.ws, r.next, row)
	if err != nil {
		return err
	}
	if was != nil && is != nil && was.Cause != is.Cause { // see again
		if is, err = r.cfg.Retrier.Rejudge(seen{s, r}, r.ws, r.unversioned(), row); err != nil {
			return err
		}
	}
	m := &landfall.Mutation{Type: i.RecordType, Op: i.Op, Transition: i.Transition}
	c := one{user: i.Author, example: i.Device + "." + strconv.FormatInt(i.Incarnation, 10) + "." + strconv.FormatInt(i.N, 10)}
	if core.Sees(&r.actor, keys) {
		c.example = "#" + strconv.FormatInt(i.Number, 10)
	}
	switch {
	case was == nil && is == nil:
		o.Ready++
	case is == nil:
		o.Fixed++
		c.head = r.refusal(was, m)
		r.groups.add(wire.EffectFixed, was.Cause, c)
	case was == nil:
		o.Broken++
		c.head = r.refusal(is, m)
		r.groups.add(wire.EffectBroken, is.Cause, c)
	default:
		o.Stay++
		if is.Cause != was.Cause {
			c.head = r.refusal(is, m)
			r.groups.add(wire.EffectStays, is.Cause, c)
		}
	}
	return nil
}

// seen reads records with the audience that the next definition gives them.
type seen struct {
	store.Reader
	r *run
}

// Row implements store.Reader.
func (s seen) Row(ws, id string) (*store.Row, error) {
	row, err := s.Reader.Row(ws, id)
	if row == nil || err != nil {
		return nil, err
	}
	return s.regrouped(row)
}

// Audience implements store.Reader.
func (s seen) Audience(ws, id string) ([]string, error) {
	row, err := s.Row(ws, id)
	if row == nil {
		return nil, err
	}
	return row.Keys, err
}

// regrouped is the row with the audience that the next definition gives it.
func (s seen) regrouped(row *store.Row) (*store.Row, error) {
	typ := row.Record.Type
	if typ == landfall.IssueType || !s.r.otherAudience(typ) && !leads(s.r.next.Types[typ]) {
		return row, nil
	}
	out := *row
	var err error
	out.Keys, err = core.Audience(s.r.next, renamed(s.r.next, row.Record), s.through)
	return &out, err
}

// otherAudience: the next definition lets others receive records of the type.
func (r *run) otherAudience(typ string) bool {
	was, is := r.now.Types[typ], r.next.Types[typ]
	if was == nil || is == nil {
		return was != is
	}
	return !slices.EqualFunc(was.Audience, is.Audience, func(a, b definition.AudienceKey) bool {
		return a.Kind == b.Kind && a.Name == b.Name && slices.Equal(a.Statuses, b.Statuses)
	})
}

// through are the keys of a record of a type, through which others are seen.
func (s seen) through(typ, id string) ([]string, error) {
	row, err := s.Row(s.r.ws, id)
	if row == nil || err != nil || row.Record.Type != typ || row.Record.Deleted {
		return nil, err
	}
	return row.Keys, nil
}
