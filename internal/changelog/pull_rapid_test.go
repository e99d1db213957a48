package changelog

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/landfall-sync/landfall/internal/store/memory"
)

var keysLost = []string{"role:a", "role:b", "team:x", "team:y"}

// drawPut draws a record's next state.
func drawPut(t *rapid.T, w *world) put {
	id := fmt.Sprintf("r%02d", rapid.IntRange(0, 9).Draw(t, "id"))
	return put{
		id:      id,
		owner:   rapid.SampledFrom([]string{"", "", "emma", "mara"}).Draw(t, "owner"),
		team:    rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "team"),
		status:  rapid.SampledFrom([]string{"s0", "s1", "s2", "s3"}).Draw(t, "status"),
		deleted: w.recs[id] != nil && rapid.IntRange(0, 5).Draw(t, "deleted") == 0,
	}
}

// verdicts draws some verdicts of records and outcomes.
func verdicts(t *rapid.T, w *world, b *batch, devices []*device) {
	switch rapid.IntRange(0, 5).Draw(t, "verdict") {
	case 0:
		b.settle(rapid.SampledFrom(devices).Draw(t, "device").name, rapid.IntRange(1, 4).Draw(t, "outcomes"))
	default:
		var puts []put
		for range rapid.IntRange(1, 4).Draw(t, "records") {
			p := drawPut(t, w)
			if !slices.ContainsFunc(puts, func(o put) bool { return o.id == p.id }) {
				puts = append(puts, p)
			}
		}
		b.commit(puts...)
	}
}

// play runs random changes and pulls, and lets every device come to rest.
func play(t *rapid.T, grants, publications bool) (*world, []*device) {
	return playing(t, grants, publications, len(audiences))
}

// playing is play with the first of all editions.
func playing(t *rapid.T, grants, publications bool, editions int) (*world, []*device) {
	w := newWorld(t, memory.New(), "emma", "mara")
	devices := []*device{w.device("emma", "phone"), w.device("emma", "tablet"), w.device("mara", "laptop")}
	if rapid.Bool().Draw(t, "held from the beginning") {
		w.roles["emma"] = []string{"a"}
		w.batch(func(b *batch) { b.commit(put{id: "r00", status: "s0"}); b.hold("emma", "role:b", true) })
	} else if !grants {
		w.batch(func(b *batch) { b.hold("emma", "role:a", true); b.hold("emma", "team:x", true) })
	}
	for range rapid.IntRange(1, 40).Draw(t, "steps") {
		d := rapid.SampledFrom(devices).Draw(t, "who")
		switch rapid.IntRange(0, 7).Draw(t, "step") {
		case 0, 1:
			w.batch(func(b *batch) {
				for range rapid.IntRange(1, 3).Draw(t, "verdicts") {
					verdicts(t, w, b, devices)
				}
			})
		case 2:
			if !grants {
				continue
			}
			w.batch(func(b *batch) {
				for range rapid.IntRange(1, 3).Draw(t, "grants") {
					key := rapid.SampledFrom(keysLost).Draw(t, "key")
					b.hold(d.user, key, !w.holds(d.user, key))
				}
			})
		case 3:
			if publications {
				w.batch(func(b *batch) { b.publish(rapid.IntRange(0, editions-1).Draw(t, "edition")) })
			}
		case 4:
			d.sync(rapid.IntRange(1, 4).Draw(t, "limit"))
		default:
			d.pull(rapid.IntRange(1, 4).Draw(t, "limit"), rapid.IntRange(0, 4).Draw(t, "lost") == 0)
		}
	}
	for _, d := range devices {
		d.sync(rapid.IntRange(1, 5).Draw(t, "limit"))
	}
	return w, devices
}

func TestReplicasConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { play(t, true, false) })
}

// Definitions change who receives what; records of the same version enter and
// leave.
func TestReplicasConvergeOverPublications(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { play(t, true, true) })
}

// Roles and definitions change who may read the texts: who has to start again does,
// and no page tells anybody what they may not read.
func TestReplicasHoldWhatMayBeRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { playing(t, true, true, 2*len(audiences)) })
}

// Without a loss nobody has to start again, whatever is published.
func TestPublicationsAloneStartNothingAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if w, _ := play(t, false, true); w.resyncs > 0 {
			t.Fatalf("started again %d times", w.resyncs)
		}
	})
}

func TestNothingIsRepeated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, devices := play(t, false, false)
		for _, d := range devices {
			sent := slices.Clone(d.sent)
			slices.Sort(sent)
			if n := len(slices.Compact(sent)); n != len(d.sent) {
				t.Fatalf("%s got %v", d.name, d.sent)
			}
		}
	})
}
