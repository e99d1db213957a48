package bench

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

const fleet = 50 // devices

// pushes measures durable pushes of creations by a fleet of devices, each
// sending the next as soon as it is answered. Of every so many, one is refused.
func (b *Bench) pushes(ctx context.Context, name string, size, refuseEvery int) (*Row, error) {
	folder := "push"
	if err := os.RemoveAll(b.Dir + "/" + folder); err != nil {
		return nil, err
	}
	w, err := b.serve(ctx, folder)
	if err != nil {
		return nil, err
	}
	row, err := b.pushing(ctx, w, name, size, refuseEvery)
	return row, errors.Join(err, w.close())
}

func (b *Bench) pushing(ctx context.Context, w *world, name string, size, refuseEvery int) (*Row, error) {
	if err := w.user(ctx, "emma", "worker"); err != nil {
		return nil, err
	}
	devices, err := w.devices(ctx, "emma", fleet)
	if err != nil {
		return nil, err
	}
	refused := make([]int64, len(devices))
	w.begin()
	start := time.Now()
	err = eachOf(devices, func(i int, d *device) error {
		create := func(n int64) string {
			if refuseEvery > 0 && n%int64(refuseEvery) == 0 {
				return d.refused(n)
			}
			return d.create(n)
		}
		for time.Since(start) < b.Time && ctx.Err() == nil {
			reply, err := d.push(create, size)
			if err != nil {
				return err
			}
			for count(reply, landfall.Stored) > 0 { // it took longer than the server waits for: the same again, as clients do
				if reply, err = d.repeat(size); err != nil {
					return err
				}
			}
			refused[i] += count(reply, landfall.Issued)
		}
		return nil
	})
	row := &Row{Name: name, Took: time.Since(start), Memory: w.memory()}
	w.measured(row)
	for i, d := range devices {
		row.Count += d.next - 1
		row.Refused += refused[i]
		row.Latency = append(row.Latency, d.lat...)
	}
	return row, errors.Join(err, ctx.Err())
}

// eachOf runs f for every device at once and waits for all.
func eachOf(devices []*device, f func(int, *device) error) error {
	errs := make([]error, len(devices))
	var wg sync.WaitGroup
	for i, d := range devices {
		wg.Go(func() { errs[i] = f(i, d) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func count(reply *wire.PushReply, result landfall.Result) (n int64) {
	if reply == nil {
		return 0
	}
	for i := range reply.Receipts {
		if reply.Receipts[i].Result == result {
			n++
		}
	}
	return n
}
