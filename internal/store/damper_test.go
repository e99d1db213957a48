package store

import (
	"fmt"
	"testing"
	"time"
)

// What passed is forgotten once it does not matter, so that made-up kinds do
// not fill the memory.
func TestDamperForgets(t *testing.T) {
	var d Damper
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for i := range 100 {
		if !d.Pass(fmt.Sprint(i), now) || d.Pass(fmt.Sprint(i), now.Add(59*time.Second)) {
			t.Fatal(i)
		}
	}
	if !d.Pass("7", now.Add(time.Minute)) || len(d.last) != 1 {
		t.Errorf("%d are kept", len(d.last))
	}
}
