package rehearse

import (
	"cmp"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/wire"
)

// The bounds of what a rehearsal lists.
const (
	mostGroups   = 100 // causes of one effect
	mostExamples = 3
)

// group is one cause in the making.
type group struct {
	wire.RehearsedGroup
	users map[string]bool
}

// groups are by effect, then by cause.
type groups map[string]map[string]*group

// one is a case of a group. user and example may be empty.
type one struct {
	user, example string
	head          wire.RehearsedGroup // what the group says of itself
}

// add counts a case of the cause. Names that devices made up are in causes, so
// there can be very many: beyond a bound they are only counted.
func (g groups) add(effect, cause string, c one) {
	of := g[effect]
	if of == nil {
		of = map[string]*group{}
		g[effect] = of
	}
	x := of[cause]
	if x == nil {
		if len(of) >= mostGroups {
			if x = of[""]; x == nil {
				x = &group{}
				of[""] = x
			}
			x.Count++
			return
		}
		x = &group{RehearsedGroup: c.head, users: map[string]bool{}}
		x.Effect = effect
		of[cause] = x
	}
	x.Count++
	if c.user != "" {
		x.users[c.user] = true
	}
	if c.example != "" && len(x.Examples) < mostExamples {
		x.Examples = append(x.Examples, c.example)
	}
}

// effects are in the order in which people should read them.
var effects = []string{
	wire.EffectBroken, wire.EffectRefused, wire.EffectStranded, wire.EffectInvalid, wire.EffectFixed, wire.EffectApplied,
	wire.EffectChanged, wire.EffectConverted, wire.EffectStays, wire.EffectDiffers,
}

// list is the groups in their order, and how many cases are of none.
func (g groups) list() (out []wire.RehearsedGroup, more map[string]int) {
	for _, effect := range effects {
		var of []wire.RehearsedGroup
		for cause, x := range g[effect] {
			if cause == "" {
				if more == nil {
					more = map[string]int{}
				}
				more[effect] = x.Count
				continue
			}
			x.Users = len(x.users)
			of = append(of, x.RehearsedGroup)
		}
		slices.SortFunc(of, func(a, b wire.RehearsedGroup) int {
			return cmp.Or(b.Count-a.Count, strings.Compare(a.Type, b.Type), strings.Compare(a.Transition, b.Transition), strings.Compare(a.Cause, b.Cause), strings.Compare(said(a), said(b)))
		})
		out = append(out, of...)
	}
	return out, more
}

// said is what tells groups without a cause apart.
func said(g wire.RehearsedGroup) string {
	var parts []string
	for _, m := range g.Messages {
		parts = append(parts, m.Code+" "+m.Field+" "+m.Text)
	}
	return strings.Join(parts, ",")
}

// refusal is what a group of refused mutations says of itself.
func (r *run) refusal(x *core.Refusal, m *landfall.Mutation) wire.RehearsedGroup {
	return wire.RehearsedGroup{
		Cause: x.Cause, Kind: x.Kind, Type: m.Type, Title: r.title(m.Type), Op: m.Op, Transition: m.Transition, Messages: x.Messages,
	}
}

// title is what people call a type.
func (r *run) title(typ string) string {
	for _, app := range []*definition.App{r.next, r.now} {
		if t := app.Types[typ]; t != nil {
			return t.Title
		}
	}
	return typ
}
