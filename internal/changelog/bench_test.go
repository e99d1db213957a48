package changelog

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/sqlite"
)

// BenchmarkFirstSync pulls 10 000 records of a dozen fields, page by page: by
// somebody who may read all of them, and by somebody from whom one is hidden; with
// each page made anew, and as they are kept.
func BenchmarkFirstSync(b *testing.B) {
	const records = 10_000
	s, err := sqlite.Open(context.Background(), filepath.Join(b.TempDir(), "landfall.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	w := newWorld(b, s, "emma", "mara")
	w.batch(func(x *batch) { x.hold("emma", "role:a", true); x.publish(len(audiences)) })
	w.update(func(tx store.Writer) error {
		l, err := store.Open(tx, ws, w.now, "many")
		if err != nil {
			return err
		}
		for i := range records {
			r := &landfall.Record{Type: "doc", ID: fmt.Sprintf("00000000-0000-7000-8000-%012d", i), Version: l.Next(), Status: "s3", Fields: landfall.Fields{}, CreatedAt: w.now, UpdatedAt: w.now}
			for n := range 11 {
				r.Fields[fmt.Sprintf("field%02d", n)] = landfall.Value(fmt.Sprintf(`"some text of a usual length %d"`, i*n))
			}
			r.Fields["text"] = landfall.Value(`"what only some may read"`)
			if err := l.Commit(&landfall.Effects{Writes: []landfall.Write{{Record: r, Audience: []string{"all"}}}, Changes: []landfall.Change{{Type: "doc", ID: r.ID, Action: landfall.Created}}}); err != nil {
				return err
			}
		}
		return l.Close()
	})
	pull := func(b *testing.B, user string) {
		for b.Loop() {
			since, n := "", 0
			for {
				p, err := w.log.Page(context.Background(), ws, "", landfall.Actor{User: user}, since, 0)
				if err != nil {
					b.Fatal(err)
				}
				since, n = p.Checkpoint, n+p.Count
				if !p.More {
					break
				}
			}
			if n != records {
				b.Fatalf("%d records", n)
			}
		}
	}
	for _, from := range []int{math.MaxInt, defaultKept} {
		w.log.pages.from = from
		name := map[bool]string{true: "made", false: "kept"}[from == math.MaxInt]
		b.Run(name+"/all read", func(b *testing.B) { pull(b, "emma") })
		b.Run(name+"/one hidden", func(b *testing.B) { pull(b, "mara") })
	}
}
