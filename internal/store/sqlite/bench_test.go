package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// BenchmarkAddItem is a completed item among a hundred thousand and more, a
// thousand a transaction: what its indexes cost.
func BenchmarkAddItem(b *testing.B) {
	st, err := Open(b.Context(), filepath.Join(b.TempDir(), "db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = st.Close() }() // it is thrown away
	n := int64(0)
	add := func() {
		if err := st.Update(b.Context(), func(w store.Writer) error {
			for range 1000 {
				n++
				at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
				record := fmt.Sprintf("0198c3ab-0000-7000-8000-%012d", n*7919%100_000)
				if err := w.AddItem("w", &store.Item{
					Key: landfall.Key{Replica: fmt.Sprintf("0198c3aa-0000-7000-8000-%012d", n%100), Incarnation: 1, N: n}, User: fmt.Sprint("user", n%50), Hash: fmt.Sprintf("%064x", n),
					State: store.Completed, Type: fmt.Sprint("type", n%5), Record: record, Refs: []string{record}, Op: landfall.OpUpdate, ReceivedAt: at, EditedAt: at,
					Bytes:   fmt.Appendf(nil, `{"n":%d,"op":"update","type":"type","id":%q,"set":{"notes":"Delivery to the harbour"},"made_at":"2026-03-01T08:00:00Z"}`, n, record),
					Receipt: landfall.Receipt{N: n, Result: landfall.Applied, Seq: n}, History: []store.ItemEvent{{At: at, State: store.Queued}, {At: at, State: store.Completed}},
				}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	for range 100 {
		add()
	}
	for b.Loop() {
		add()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/item")
}
