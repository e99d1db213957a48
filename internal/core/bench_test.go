package core_test

import (
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
)

// BenchmarkJudge is what the rules cost for a type of which nothing is asked but
// the old: a creation, an update and a move of one record.
func BenchmarkJudge(b *testing.B) {
	a := app(b, "expenses", 3)
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	id := "00000000-0000-7000-8000-000000000001"
	w := &world{app: a, Users: []string{"emma"}}
	step := func(m landfall.Mutation) core.Step {
		m.Replica, m.Incarnation, m.Type, m.ID, m.Definition = "phone", 1, "expense", id, 3
		return core.Step{Mutation: m, Edited: at}
	}
	set := landfall.Fields{"purpose": landfall.Value(`"Oslo"`), "amount": landfall.Value(`"120"`), "owner": landfall.Value(`"emma"`)}
	in := core.Input{App: a, World: w, Actor: landfall.Actor{User: "emma", Roles: []string{"employee"}}, Seq: 10, Now: at, Run: []core.Step{
		step(landfall.Mutation{N: 1, Op: landfall.OpCreate, Set: set}),
		step(landfall.Mutation{N: 2, Op: landfall.OpUpdate, Set: landfall.Fields{"amount": landfall.Value(`"130"`)}, Base: &landfall.Base{After: 1, Status: "draft", Was: landfall.Fields{"amount": landfall.Value(`"120"`)}}}),
		step(landfall.Mutation{N: 3, Op: landfall.OpTransition, Transition: "submit", Base: &landfall.Base{After: 2, Status: "draft"}}),
	}}
	b.ReportAllocs()
	for b.Loop() {
		if v, err := core.Judge(in); err != nil || !v.Applied {
			b.Fatal(v.Refusal, err)
		}
	}
}
