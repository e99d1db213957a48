package rehearse

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store/sqlite"
	"github.com/landfall-sync/landfall/internal/wire"
)

// BenchmarkRehearsal judges the last items of a database again, while devices go
// on pushing: REHEARSED of them, or 100000. It reports the rate, the memory at
// its peak, and the slowest push meanwhile.
//
//	go test -run xxx -bench Rehearsal -benchtime 1x ./internal/rehearse
func BenchmarkRehearsal(b *testing.B) {
	n := 100_000
	if s := os.Getenv("REHEARSED"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	st, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = st.Close() }() // the benchmark is over
	w := newWorldOn(b, st)
	busyWeek(w, n)
	source := strings.Replace(jobs, "hours: {type: integer, ", "hours: {type: integer, check: \"hours < 7\", ", 1)
	stop, slowest := make(chan struct{}), make(chan string)
	go pushes(w, stop, slowest)
	var peak uint64
	runtime.GC()
	for b.Loop() {
		began := time.Now()
		o, err := w.stage.Rehearse(b.Context(), "w", root, wire.Rehearse{Source: source, Items: n}, func(wire.RehearsalProgress) {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
		})
		if err != nil || o.Items.Looked != n || o.Items.Refused == 0 {
			b.Fatalf("%+v %v", o, err)
		}
		b.ReportMetric(float64(o.Items.Judged)/time.Since(began).Seconds(), "items/s")
		b.Logf("%d items, %d records in %s: %s", o.Items.Judged, o.Records.Looked, time.Since(began).Round(time.Millisecond), o.Verdict)
	}
	close(stop)
	b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
	b.Log(<-slowest)
}

// busyWeek is n changes: each job is created, and changed three times.
func busyWeek(w *world, n int) {
	const atOnce = 100
	for k := 0; k < n; k += atOnce {
		var ms []landfall.Mutation
		for i := k; i < min(k+atOnce, n); i++ {
			job := i/4 + 100
			if i%4 == 0 {
				ms = append(ms, landfall.Mutation{Op: landfall.OpCreate, Type: "job", ID: id(job), Set: landfall.Fields{"title": value("a job"), "owner": value("anna"), "hours": value(i / 4 % 9)}, Base: &landfall.Base{}})
				continue
			}
			ms = append(ms, landfall.Mutation{Op: landfall.OpUpdate, Type: "job", ID: id(job), Set: landfall.Fields{"notes": value(fmt.Sprint("note ", i))}, Base: &landfall.Base{Was: landfall.Fields{}}})
		}
		w.push("phone-a", ms...)
	}
}

// pushes pushes one change after the other.
func pushes(w *world, stop <-chan struct{}, slowest chan<- string) {
	var most, all time.Duration
	for k := 0; ; k++ {
		select {
		case <-stop:
			slowest <- fmt.Sprintf("%d pushes meanwhile, %s each, the slowest %s", k, (all / time.Duration(max(k, 1))).Round(time.Microsecond), most.Round(time.Millisecond))
			return
		default:
		}
		began := time.Now()
		w.create("phone-b", 1_000_000+k, landfall.Fields{"title": value("meanwhile")})
		took := time.Since(began)
		most, all = max(most, took), all+took
	}
}
