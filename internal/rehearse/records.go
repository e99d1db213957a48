package rehearse

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// recordPage is how many records are read in one view of the database.
const recordPage = 500

// mostValues is how many values of fields that become unique are remembered, as
// their hashes.
const mostValues = 4_000_000

// looking goes through the stored records of the types whose rules change.
type looking struct {
	*run
	seed   maphash.Seed
	values map[uint64]struct{} // of fields that become unique
	sight  map[wire.RehearsedSight]*wire.RehearsedSight
	shared map[string]int // records that have the value of another one, by field that becomes unique
}

// records holds the stored records to the rules of the next definition. What is
// wrong with one already is not said again.
func (r *run) records() error {
	l := &looking{run: r, seed: maphash.MakeSeed(), values: map[uint64]struct{}{}, sight: map[wire.RehearsedSight]*wire.RehearsedSight{}, shared: map[string]int{}}
	for _, name := range r.now.Order {
		if r.next == r.now || alike(r.now.Types[name], r.next.Types[name]) && !r.renames(name) {
			continue
		}
		if err := l.typ(name); err != nil {
			return err
		}
	}
	for _, field := range slices.Sorted(maps.Keys(l.shared)) {
		r.out.Version = r.now.Version
		r.out.Problems = append(r.out.Problems, wire.Problem{File: r.file, Line: 1, Column: 1,
			Message: fmt.Sprintf("the field %s can't be unique: %d of the records have a value there that another one has", field, l.shared[field]),
			Hint:    "give each a value of its own first; the records that are named below are some of them"})
	}
	for _, s := range l.sight {
		r.out.Sight = append(r.out.Sight, *s)
	}
	slices.SortFunc(r.out.Sight, func(a, b wire.RehearsedSight) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Key, b.Key))
	})
	return nil
}

// renames: a conversion to the next definition gives records of the type other names.
func (r *run) renames(typ string) bool {
	return slices.ContainsFunc(r.next.Convert, func(c definition.Conversion) bool { return c.Type == typ && c.To > r.now.Version })
}

func (l *looking) typ(name string) error {
	for after := ""; ; {
		n := 0
		err := l.view(func(s store.Reader) error {
			ids, err := s.RecordsOf(l.ws, name, after, recordPage)
			if err != nil {
				return err
			}
			n = len(ids)
			for _, id := range ids {
				if err := l.ctx.Err(); err != nil {
					return err
				}
				row, err := s.Row(l.ws, id)
				if err != nil {
					return err
				}
				if row != nil && !row.Record.Deleted {
					l.record(row)
				}
				after = id
			}
			return nil
		})
		if err != nil || n == 0 {
			return err
		}
		l.progress("records", l.out.Records.Looked, 0)
	}
}

// record looks at one record.
func (l *looking) record(row *store.Row) {
	o, was := &l.out.Records, row.Record
	o.Looked++
	is := renamed(l.next, was)
	c := one{}
	if core.Sees(&l.actor, row.Keys) {
		c.example = was.ID
		if was.Number != "" {
			c.example = was.Number
		}
	}
	tell := func(effect string, m landfall.Message) {
		c.head = wire.RehearsedGroup{Type: was.Type, Title: l.title(was.Type), Messages: []landfall.Message{m}}
		l.groups.add(effect, was.Type+"\x00"+m.Field+"\x00"+m.Code+"\x00"+m.Text, c)
	}
	if is != was {
		o.Converted++
		tell(wire.EffectConverted, landfall.Message{Code: "converted", Text: "Fields or the status get the names that the conversion gives them.", Hint: "Values stay as they are."})
	}
	before := core.Homeless(l.now, was)
	stray := fresh(core.Homeless(l.next, is), before)
	for _, m := range stray {
		tell(wire.EffectStranded, m)
	}
	if len(stray) > 0 {
		o.Stranded++
	}
	faults := fresh(core.Faults(l.next, is, l.cfg.Clock()), core.Faults(l.now, was, l.cfg.Clock()))
	faults = append(faults, l.doubles(is)...)
	for _, m := range faults {
		tell(wire.EffectInvalid, m)
	}
	if len(faults) > 0 {
		o.Invalid++
	}
	l.moves(row, is)
}

// fresh are the messages that were not there before, by field and code.
func fresh(is, was []landfall.Message) []landfall.Message {
	return slices.DeleteFunc(is, func(m landfall.Message) bool {
		return slices.ContainsFunc(was, func(w landfall.Message) bool { return w.Field == m.Field && w.Code == m.Code })
	})
}

// doubles are the fields that become unique, and in which another record has the
// same value.
func (l *looking) doubles(r *landfall.Record) (out []landfall.Message) {
	was, is := l.now.Types[r.Type], l.next.Types[r.Type]
	if is == nil {
		return nil
	}
	for _, name := range is.Order {
		if !is.Fields[name].Unique || was != nil && was.Fields[name] != nil && was.Fields[name].Unique || landfall.IsNull(r.Fields[name]) {
			continue
		}
		var h maphash.Hash
		h.SetSeed(l.seed)
		for _, part := range []string{r.Type, "\x00", name, "\x00", string(r.Fields[name])} {
			_, _ = h.WriteString(part) // it never fails
		}
		if _, taken := l.values[h.Sum64()]; taken {
			l.shared[r.Type+"."+name]++
			out = append(out, landfall.Message{Code: core.CodeUnique, Field: name, Text: is.Fields[name].Title + ": another record has this value already.", Hint: "Mend the records first, or don't make the field unique."})
		} else if len(l.values) < mostValues {
			l.values[h.Sum64()] = struct{}{}
		}
	}
	return out
}

// moves counts who gains and who loses sight of the record. Where its audience
// is that of another record it is not known here.
func (l *looking) moves(row *store.Row, is *landfall.Record) {
	for _, app := range []*definition.App{l.now, l.next} {
		if t := app.Types[row.Record.Type]; t != nil && leads(t) {
			return
		}
	}
	keys, err := core.Audience(l.next, is, core.Nobody)
	if err != nil {
		return // nobody is asked, so nothing can fail
	}
	told := map[wire.RehearsedSight]bool{} // a record counts once a key
	count := func(of, without []string, add func(*wire.RehearsedSight), side string) {
		for _, k := range of {
			if slices.Contains(without, k) {
				continue
			}
			id := wire.RehearsedSight{Type: row.Record.Type, Title: l.title(row.Record.Type), Key: kindOf(k)}
			mark := wire.RehearsedSight{Key: side + id.Key}
			if told[mark] {
				continue
			}
			told[mark] = true
			if l.sight[id] == nil {
				s := id
				l.sight[id] = &s
			}
			add(l.sight[id])
		}
	}
	count(keys, row.Keys, func(s *wire.RehearsedSight) { s.Gains++ }, "+")
	count(row.Keys, keys, func(s *wire.RehearsedSight) { s.Loses++ }, "-")
}

// kindOf is a key without the name of the person or team in it.
func kindOf(key string) string {
	kind, _, _ := strings.Cut(key, ":")
	if kind == string(definition.AudienceUser) || kind == string(definition.AudienceTeam) {
		return kind
	}
	return key
}
