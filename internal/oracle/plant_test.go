package oracle_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/landfall-sync/landfall/internal/oracle"
)

// plants are oracles that are wrong on purpose, each by one thing that it reads
// wrongly. A test that can't tell them from the right one shows nothing.
var plants = map[string]plant{
	"roles of the author ignored":            {actor: func(a *oracle.Actor) { a.Roles = roleNames }},
	"one role less":                          {actor: func(a *oracle.Actor) { a.Roles = a.Roles[:len(a.Roles)/2] }},
	"teams of the author ignored":            {actor: func(a *oracle.Actor) { a.Teams = nil }},
	"author taken for another":               {actor: func(a *oracle.Actor) { a.User = "ben" }},
	"disabled users may write":               {actor: func(a *oracle.Actor) { a.Disabled = false }},
	"blocked devices may write":              {actor: func(a *oracle.Actor) { a.Blocked = false }},
	"frozen ignored":                         {app: statuses(func(s *oracle.Status) { s.Frozen = false })},
	"resolved taken for frozen":              {app: statuses(func(s *oracle.Status) { s.Frozen = s.Frozen || s.Resolved })},
	"queues of statuses ignored":             {app: statuses(func(s *oracle.Status) { s.Queue = "" })},
	"worklists ignored":                      {app: statuses(func(s *oracle.Status) { s.Worklist = "" })},
	"numbers not given":                      {app: types(func(t *oracle.Type) { t.Number = "" })},
	"strict treated as legal":                {app: policy("", "strict", "legal")},
	"strict treated as transitions":          {app: policy("", "strict", "transitions")},
	"transitions treated as strict":          {app: policy("transitions", "transitions", "strict")},
	"transitions treated as legal":           {app: policy("transitions", "transitions", "legal")},
	"legal treated as transitions":           {app: policy("legal", "legal", "transitions")},
	"a move from anywhere":                   {app: moves(func(t *oracle.Type, m *oracle.Move) { m.From = statusesOf(t) })},
	"a move somewhere else":                  {app: moves(func(t *oracle.Type, m *oracle.Move) { m.To = t.Statuses[0].Name })},
	"a move by any role":                     {app: moves(func(_ *oracle.Type, m *oracle.Move) { m.Roles = roleNames })},
	"conditions of moves ignored":            {app: moves(func(_ *oracle.Type, m *oracle.Move) { m.When = nil })},
	"what moves require ignored":             {app: moves(func(_ *oracle.Type, m *oracle.Move) { m.Requires = nil })},
	"what moves set ignored":                 {app: moves(func(_ *oracle.Type, m *oracle.Move) { m.Set = nil })},
	"conditions of rights ignored":           {app: rights(func(_ *oracle.Type, r *oracle.Right) { r.When = nil })},
	"fields of rights ignored":               {app: rights(func(_ *oracle.Type, r *oracle.Right) { r.Fields = nil })},
	"who may update may delete":              {app: rights(verb("update", "delete"))},
	"who may create may update":              {app: rights(verb("create", "update"))},
	"was taken for record":                   {app: everyCond(func(c *oracle.Cond) { swap(c, "was", "status") })},
	"and taken for or":                       {app: everyCond(func(c *oracle.Cond) { swap(c, "and", "or") })},
	"teams taken for roles":                  {app: everyCond(func(c *oracle.Cond) { swap(c, "team", "role") })},
	"audience for all":                       {app: types(func(t *oracle.Type) { t.Audience = []oracle.Key{{Kind: "all"}} })},
	"statuses of keys ignored":               {app: keys(func(k *oracle.Key) { k.Statuses = nil })},
	"users in fields see nothing":            {app: keys(func(k *oracle.Key) { k.Kind = rename(k.Kind, "user", "role") })},
	"teams in fields see nothing":            {app: keys(func(k *oracle.Key) { k.Kind = rename(k.Kind, "team", "role") })},
	"required ignored":                       {app: eachField(func(f *oracle.Field) { f.Required = false })},
	"required by status ignored":             {app: eachField(func(f *oracle.Field) { f.RequiredIn = nil })},
	"required by status taken for always":    {app: eachField(func(f *oracle.Field) { f.Required = f.Required || f.RequiredIn != nil })},
	"max ignored":                            {app: eachField(func(f *oracle.Field) { f.Max = 0 })},
	"checks ignored":                         {app: eachField(func(f *oracle.Field) { f.Above = "" })},
	"unique ignored":                         {app: eachField(func(f *oracle.Field) { f.Unique = false })},
	"choices not minded":                     {app: eachField(func(f *oracle.Field) { f.Choices = append(f.Choices, "pink") })},
	"a reference to any type":                {app: eachField(func(f *oracle.Field) { f.To = rename(f.To, "visit", "item") })},
	"the server's side wins":                 {app: eachField(func(f *oracle.Field) { f.Merge = rename(f.Merge, "device", "server") })},
	"the device's side wins":                 {app: eachField(func(f *oracle.Field) { f.Merge = rename(f.Merge, "server", "device") })},
	"the last to arrive wins":                {app: eachField(func(f *oracle.Field) { f.Merge = rename(f.Merge, "", "device") })},
	"sums are not added":                     {app: eachField(func(f *oracle.Field) { f.Merge = rename(f.Merge, "add", "device") })},
	"sets are not united":                    {app: eachField(func(f *oracle.Field) { f.Merge = rename(f.Merge, "union", "device") })},
	"texts are not appended":                 {app: eachField(func(f *oracle.Field) { f.Merge = rename(f.Merge, "append", "device") })},
	"review needs nobody":                    {app: eachField(func(f *oracle.Field) { f.Merge = rename(f.Merge, "review", "device") })},
	"own chain is somebody else's":           {step: func(s *oracle.Step) { s.Base.After = 0 }},
	"whatever the device did counts as seen": {step: func(s *oracle.Step) { s.Base.After = 1000 }},
	"nothing happened since the base":        {step: func(s *oracle.Step) { s.Base.Version = 999 }},
	"the author saw nothing":                 {step: func(s *oracle.Step) { s.Base.Was = nil }},
	"the author saw no status":               {step: func(s *oracle.Step) { s.Base.Status = "" }},
	"every edit is the latest":               {step: func(s *oracle.Step) { s.Edited = start.AddDate(1, 0, 0) }},
	"the definition is the present one":      {step: func(s *oracle.Step) { s.Definition = appVersion }},
	"null is nothing that was sent":          {step: func(s *oracle.Step) { s.Set = without(s.Set, "null") }},
}

func types(f func(*oracle.Type)) func(*oracle.App) {
	return func(a *oracle.App) {
		for _, t := range a.Types {
			f(t)
		}
	}
}

func statuses(f func(*oracle.Status)) func(*oracle.App) {
	return types(func(t *oracle.Type) {
		for i := range t.Statuses {
			f(&t.Statuses[i])
		}
	})
}

func policy(one, other, to string) func(*oracle.App) {
	return types(func(t *oracle.Type) {
		if t.Policy == one || t.Policy == other {
			t.Policy = to
		}
	})
}

func moves(f func(*oracle.Type, *oracle.Move)) func(*oracle.App) {
	return types(func(t *oracle.Type) {
		for _, m := range t.Moves {
			f(t, m)
		}
	})
}

func rights(f func(*oracle.Type, *oracle.Right)) func(*oracle.App) {
	return types(func(t *oracle.Type) {
		for _, r := range slices.Clone(t.Rights) {
			f(t, r)
		}
	})
}

// verb gives who has the right of one verb that of another.
func verb(one, other string) func(*oracle.Type, *oracle.Right) {
	return func(t *oracle.Type, r *oracle.Right) {
		if r.Verb == one {
			c := *r
			c.Verb = other
			t.Rights = append(t.Rights, &c)
		}
	}
}

func keys(f func(*oracle.Key)) func(*oracle.App) {
	return types(func(t *oracle.Type) {
		for i := range t.Audience {
			f(&t.Audience[i])
		}
	})
}

func eachField(f func(*oracle.Field)) func(*oracle.App) {
	return types(func(t *oracle.Type) {
		for _, x := range t.Fields {
			f(x)
		}
	})
}

func everyCond(f func(*oracle.Cond)) func(*oracle.App) {
	var each func(*oracle.Cond)
	each = func(c *oracle.Cond) {
		if c == nil {
			return
		}
		for _, of := range c.Of {
			each(of)
		}
		f(c)
	}
	return func(a *oracle.App) {
		moves(func(_ *oracle.Type, m *oracle.Move) { each(m.When) })(a)
		rights(func(_ *oracle.Type, r *oracle.Right) { each(r.When) })(a)
	}
}

func swap(c *oracle.Cond, op, to string) { c.Op = rename(c.Op, op, to) }

func rename(is, from, to string) string {
	if is == from {
		return to
	}
	return is
}

func without(set map[string]string, value string) map[string]string {
	out := map[string]string{}
	for name, v := range set {
		if v != value {
			out[name] = v
		}
	}
	return out
}

// within is how many stories may pass before a wrong oracle is told.
const within = 150

// Each wrong oracle is told from the rules, within a number of stories.
func TestWrongOraclesAreFound(t *testing.T) {
	for name, p := range plants {
		t.Run(name, func(t *testing.T) {
			stories := rapid.Custom(func(rt *rapid.T) string { return play(draw{rt}, p, tally{}) })
			for seed := 1; seed <= within; seed++ {
				if stories.Example(seed) != "" {
					t.Logf("%s: story %d", name, seed)
					return
				}
			}
			t.Errorf("not found in %d stories", within)
		})
	}
}
