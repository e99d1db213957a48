package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

const (
	pullPage    = 5000
	firstPulled = 100_000
	fewer       = 1000
	few         = 200 // changes among many
)

// sizes measures what must not grow with what is stored, at a thousand, at a
// hundred thousand and at a million records, and first pulls in between.
func (b *Bench) sizes(ctx context.Context) (rows []*Row, err error) {
	if err := os.RemoveAll(b.Dir + "/sizes"); err != nil {
		return nil, err
	}
	s := &sized{b: b}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, step := range []struct {
		records int
		do      []func(context.Context, int) (*Row, error)
	}{
		{fewer, []func(context.Context, int) (*Row, error){s.verdicts}},
		{firstPulled, []func(context.Context, int) (*Row, error){s.first(1), s.first(10), s.again, s.changed}},
		{b.Large, []func(context.Context, int) (*Row, error){s.changed, s.verdicts}},
	} {
		if step.records < s.stored {
			continue
		}
		if err := s.grow(ctx, step.records); err != nil {
			return rows, err
		}
		for _, do := range step.do {
			row, err := do(ctx, step.records)
			if err != nil {
				return rows, err
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// sized is a database that grows.
type sized struct {
	b      *Bench
	w      *world
	writer *device
	stored int
}

func (s *sized) close() error {
	if s.w == nil {
		return nil
	}
	err := s.w.close()
	s.w = nil
	return err
}

// grow stores records until there are so many, then starts the server anew, so
// that nothing is measured that was left in its memory.
func (s *sized) grow(ctx context.Context, records int) (err error) {
	if s.w == nil {
		if s.w, err = s.b.serve(ctx, "sizes"); err != nil {
			return err
		}
		for user, role := range map[string]string{"emma": "worker", "lena": "lead"} {
			if err := s.w.user(ctx, user, role); err != nil {
				return err
			}
		}
		all, err := s.w.devices(ctx, "emma", 1)
		if err != nil {
			return err
		}
		s.writer = all[0]
	}
	for s.stored < records {
		n := min(1000, records-s.stored)
		if _, err := s.writer.push(s.writer.create, n); err != nil {
			return err
		}
		s.stored += n
	}
	if err := s.w.close(); err != nil {
		return err
	}
	people := s.w.people
	if s.w, err = s.b.serve(ctx, "sizes"); err != nil {
		return err
	}
	s.w.people = people
	s.writer.host, s.writer.wire = s.w.host(), &s.w.wire
	return s.writer.dial(ctx)
}

// verdicts is one device that makes one change after another.
func (s *sized) verdicts(_ context.Context, records int) (*Row, error) {
	row := &Row{Name: fmt.Sprintf("one verdict, %d stored", records), Once: true}
	s.writer.lat = nil
	s.w.begin()
	start := time.Now()
	for time.Since(start) < s.b.Time {
		if _, err := s.writer.push(s.writer.create, 1); err != nil {
			return nil, err
		}
		s.stored++
		row.Count++
	}
	row.Took, row.Latency = time.Since(start), s.writer.lat
	s.w.measured(row)
	return row, nil
}

// first is a first sync by so many devices at once.
func (s *sized) first(devices int) func(context.Context, int) (*Row, error) {
	return func(ctx context.Context, _ int) (*Row, error) {
		all, err := s.w.devices(ctx, "lena", devices)
		if err != nil {
			return nil, err
		}
		row := &Row{Name: fmt.Sprintf("first pull of %d by %d", s.stored, devices), Once: true}
		return row, s.pulled(row, all)
	}
}

// again is a first sync by one more device, with the pages at hand.
func (s *sized) again(ctx context.Context, _ int) (*Row, error) {
	all, err := s.w.devices(ctx, "lena", 1)
	if err != nil {
		return nil, err
	}
	row := &Row{Name: fmt.Sprintf("first pull of %d by one more", s.stored), Once: true}
	return row, s.pulled(row, all)
}

func (s *sized) pulled(row *Row, all []*device) error {
	s.w.begin()
	got, took := make([]int64, len(all)), make(latencies, len(all))
	start := time.Now()
	err := eachOf(all, func(i int, d *device) (err error) {
		got[i], err = d.sync()
		took[i] = time.Since(start)
		return err
	})
	row.Took, row.Latency = time.Since(start), took
	for _, n := range got {
		if n != int64(s.stored) {
			err = errors.Join(err, fmt.Errorf("a device got %d of %d records", n, s.stored))
		}
		row.Count += n
	}
	s.w.measured(row)
	row.Note = row.Took.Round(time.Millisecond).String() + " in all"
	return err
}

// changed is what a device that has everything pulls after 200 changes.
func (s *sized) changed(ctx context.Context, records int) (*Row, error) {
	all, err := s.w.devices(ctx, "lena", 1)
	if err != nil {
		return nil, err
	}
	d := all[0]
	if _, err := d.sync(); err != nil {
		return nil, err
	}
	row := &Row{Name: fmt.Sprintf("pull of %d changes among %d", few, records), Once: true}
	d.lat = nil
	for round := range 20 {
		if _, err := s.writer.push(func(n int64) string { return s.writer.note(jobID(s.writer.who, 1+n%int64(records)), n, int64(round)) }, few); err != nil {
			return nil, err
		}
		if round == 0 {
			s.w.begin() // the first finds cold caches, as it may
		}
		n, err := d.sync()
		if err != nil || n != few {
			return nil, errors.Join(err, fmt.Errorf("%d changes were pulled", n))
		}
		row.Count += n
	}
	row.Latency = d.lat
	for _, l := range d.lat {
		row.Took += l
	}
	s.w.measured(row)
	return row, nil
}

// note is a change of a record's notes, whatever they were.
func (d *device) note(id string, n, round int64) string {
	return `"op":"update","type":"job","id":"` + id + `","set":{"notes":"noted ` + strconv.FormatInt(n, 10) + ` in round ` + strconv.FormatInt(round, 10) +
		`"},"base":{"version":` + strconv.FormatInt(1<<40, 10) + `},` + madeAt
}

// sync pulls to the end and counts changes.
func (d *device) sync() (total int64, err error) {
	for {
		raw, err := d.exchange("GET", "/v1/sync/pull?limit="+strconv.Itoa(pullPage)+"&since="+d.checkpoint, nil, true)
		if err != nil {
			return total, err
		}
		total += int64(bytes.Count(raw, []byte(`{"seq":`)))
		// The parts behind the changes are read, and those are not parsed.
		i := bytes.LastIndex(raw, []byte(`],"checkpoint":`))
		if j := bytes.LastIndex(raw, []byte(`],"outcomes":`)); j > 0 {
			i = j
		}
		if i < 0 {
			return total, errors.New("a pull without a checkpoint")
		}
		rest := wire.PullReply{}
		if err := json.Unmarshal(append([]byte(`{`), raw[i+2:]...), &rest); err != nil {
			return total, err
		}
		d.checkpoint, d.version = rest.Checkpoint, rest.Seq
		if !rest.More {
			return total, nil
		}
	}
}

// storm is a fleet that edits the same records all the time, each device
// pushing its changes and then pulling those of the others.
func (b *Bench) storm(ctx context.Context) (row *Row, err error) {
	if err := os.RemoveAll(b.Dir + "/storm"); err != nil {
		return nil, err
	}
	w, err := b.serve(ctx, "storm")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.user(ctx, "emma", "worker"); err != nil {
		return nil, err
	}
	all, err := w.devices(ctx, "emma", fleet)
	if err != nil {
		return nil, err
	}
	maker := all[0]
	if _, err := maker.push(maker.create, stormRecords); err != nil {
		return nil, err
	}
	for _, d := range all {
		if _, err := d.sync(); err != nil {
			return nil, err
		}
		d.lat = nil
	}
	row = &Row{Name: fmt.Sprintf("storm: %d devices on %d records", fleet, stormRecords)}
	refused := make([]int64, len(all))
	began := make([]int64, len(all))
	for i, d := range all {
		began[i] = d.next
	}
	w.begin()
	start := time.Now()
	err = eachOf(all, func(i int, d *device) error {
		for time.Since(start) < b.Time && ctx.Err() == nil {
			reply, err := d.push(func(n int64) string { return d.quarrel(jobID(maker.who, 1+stormed(i, n)), i, n) }, stormRecords)
			if err != nil {
				return err
			}
			refused[i] += stormRecords - count(reply, landfall.Applied)
			if _, err := d.sync(); err != nil {
				return err
			}
		}
		return nil
	})
	row.Took = time.Since(start)
	for i, d := range all {
		row.Count += d.next - began[i]
		row.Refused += refused[i]
		row.Latency = append(row.Latency, d.lat...)
	}
	w.measured(row)
	if err != nil || ctx.Err() != nil {
		return row, err
	}
	onFirst := int64(0)
	for i, d := range all {
		for n := began[i]; n < d.next; n++ {
			if stormed(i, n) == 0 {
				onFirst++
			}
		}
	}
	return row, readable(ctx, w, jobID(maker.who, 1), onFirst)
}

// stormRecords are what a storm is about.
const stormRecords = 100

// stormed is which of them the change numbered n of a device is on.
func stormed(device int, n int64) int64 { return (n + int64(7*device)) % stormRecords }

// quarrel is a change of what others change, too: one of them loses, and one
// counts on.
func (d *device) quarrel(id string, who int, n int64) string {
	text := func(n int64) string { return strconv.FormatInt(n, 10) }
	return `"op":"update","type":"job","id":"` + id + `","set":{"notes":"` + strconv.Itoa(who) + ` says ` + text(n) + `","visits":` + text(n) +
		`},"base":{"version":` + text(d.version) + `,"after":` + text(max(0, d.next-1)) + `,"was":{"visits":` + text(n-1) + `}},` + madeAt
}

// readable checks that each change that devices made on a record is in its
// history, with its value: as the one that was taken, or as one that lost.
func readable(ctx context.Context, w *world, id string, want int64) error {
	h, err := w.desk.History(ctx, id)
	if err != nil {
		return err
	}
	found := int64(0)
	for i := range h.Items {
		c := &h.Items[i]
		_, set := c.Set["notes"]
		_, lost := c.Lost["notes"]
		if c.Action == landfall.Updated && (set || lost) {
			found++
		}
	}
	if found != want {
		return fmt.Errorf("%d of %d changes of a record are in its history with their value", found, want)
	}
	return nil
}
