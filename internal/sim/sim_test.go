package sim_test

import (
	"strings"
	"testing"

	"github.com/landfall-sync/landfall/internal/sim"
)

// The same seed gives the same world, to the byte.
func TestSameSeedSameTrace(t *testing.T) {
	for seed := range uint64(6) {
		var once, again strings.Builder
		a := sim.Run(t.Context(), sim.Options{Seed: seed, Trace: &once})
		b := sim.Run(t.Context(), sim.Options{Seed: seed, Trace: &again})
		if a.Digest != b.Digest || once.String() != again.String() || a.Steps != b.Steps {
			t.Errorf("seed %d: two runs differ", seed)
		}
		if a.Steps < 50 || once.Len() < 1000 {
			t.Errorf("seed %d: hardly anything happened: %d steps", seed, a.Steps)
		}
	}
}
