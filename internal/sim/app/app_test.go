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
			compiled, problems := definition.Compile("app.yaml", []byte(a.Source()))
			if compiled == nil || len(problems) > 0 {
				t.Fatalf("%s, revised %v: %v\n%s", policy, revised, problems, a.Source())
			}
			if len(compiled.Types) != len(a.Types) || len(compiled.Routes) != len(a.Routes) {
				t.Fatalf("%d types and %d routes", len(compiled.Types), len(compiled.Routes))
			}
		}
	}
}
