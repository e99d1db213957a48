package app_test

import (
	"testing"

	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/sim/app"
)

// The program under test takes every version that the simulation publishes.
func TestSimulatedCompiles(t *testing.T) {
	for _, policy := range []string{"strict", "transitions", "legal"} {
		for _, revised := range []bool{false, true} {
			a := app.Simulated(1, policy, revised)
			for renamed := range 9 {
				compiled, problems := definition.Compile("app.yaml", []byte(a.Source()))
				if compiled == nil || len(problems) > 0 {
					t.Fatalf("%s, revised %v: %v\n%s", policy, revised, problems, a.Source())
				}
				if len(compiled.Types) != len(a.Types) || len(compiled.Routes) != len(a.Routes) || len(compiled.Convert) != 2*renamed {
					t.Fatalf("%d types, %d routes and %d conversions", len(compiled.Types), len(compiled.Routes), len(compiled.Convert))
				}
				if renamed > 0 && compiled.Types["job"].Fields["visits"] != nil {
					t.Fatal("nothing is renamed")
				}
				a = a.Next(policy, (renamed%2 == 0) != revised, true)
			}
		}
	}
}
