package model_test

import (
	"testing"

	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/sim/model"
)

// BenchmarkCommit takes in what two hundred actions committed.
func BenchmarkCommit(b *testing.B) {
	w := newWorld(b, 2, false)
	for range 200 {
		w.act()
	}
	w.judge()
	b.ReportAllocs()
	commits := 0
	for b.Loop() {
		m := model.New()
		m.Know(app.Simulated(1, w.policy, false))
		m.Know(app.Simulated(2, w.policy, true))
		for _, c := range w.commits {
			m.Commit(c)
		}
		commits += len(w.commits)
	}
	b.ReportMetric(float64(commits)/b.Elapsed().Seconds(), "commits/s")
}
