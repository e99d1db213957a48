package inbox

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// More than may wait for its verdicts is not taken in; what is judged makes room.
func TestBacklogIsBounded(t *testing.T) {
	in, _ := stocked(t, 0)
	first := body(t, 1, creation(1, "one"))
	in.cfg.Backlog = int64(len(first))
	waiting := make(chan error, 1)
	go func() {
		_, err := in.Push(t.Context(), "w", phone, first)
		waiting <- err
	}()
	<-in.Offered()
	if _, err := in.Push(t.Context(), "w", phone, body(t, 2, creation(2, "two"))); landfall.CodeOf(err) != landfall.CodeBusy {
		t.Errorf("taken in over the bound: %v", err)
	}
	if _, err := in.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	if r, err := offered(t, in, first); err != nil || results(r)[0] != "applied" {
		t.Errorf("there is room again: %v %v", r, err)
	}
	if n := in.backlog.Load(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
}

// A change whose judging takes too long is an issue; those beside it are judged.
func TestJudgeTime(t *testing.T) {
	in, _ := stocked(t, 0)
	var ticking atomic.Bool
	now := in.cfg.Clock()
	in.cfg.Clock = func() time.Time {
		if ticking.Load() {
			now = now.Add(in.cfg.JudgeTime + time.Second)
		}
		return now
	}
	r := pushed(t, in, 1, "", creation(1, "one"))
	if got := results(r)[0]; got != "applied" {
		t.Fatal(got)
	}
	slowUpdate := `{"n":3,"op":"update","type":"expense","id":"` + sheet + `1","set":{"purpose":"Rome"},"base":{"version":0,"after":1,"was":{"purpose":"one"}},"made_at":"2026-03-01T08:00:00Z"}`
	in.cfg.Store = &slow{Store: in.cfg.Store, record: sheet + "1", stopped: &ticking}
	r, err := offered(t, in, body(t, 1, creation(1, "one"), creation(2, "two"), slowUpdate, creation(4, "four")))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(results(r), ", "); got != "applied, applied, issue internal, applied" {
		t.Error(got)
	}
}

// slow is a store with a record that takes for ever to read.
type slow struct {
	store.Store
	record  string
	stopped *atomic.Bool
}

func (s *slow) Update(ctx context.Context, do func(store.Writer) error) error {
	return s.Store.Update(ctx, func(w store.Writer) error { return do(&slowly{w, s}) })
}

type slowly struct {
	store.Writer
	s *slow
}

func (s *slowly) Row(ws, id string) (*store.Row, error) {
	s.s.stopped.Store(id == s.s.record)
	return s.Writer.Row(ws, id)
}

// What was being judged when two servers died is an issue, unseen; what came
// with it is judged one by one.
func TestWhatKillsServers(t *testing.T) {
	in, st := stocked(t, 0)
	b := body(t, 1, creation(1, "one"), creation(2, "deadly"), creation(3, "three"))
	row := store.Push{Replica: "phone", Received: in.cfg.Clock(), Body: b}
	if err := st.Update(t.Context(), func(w store.Writer) error { return w.AddPush("w", &row) }); err != nil {
		t.Fatal(err)
	}
	dies := &dying{Store: st, record: sheet + "2"}
	for range 3 { // together; alone; alone again
		c := in.cfg
		c.Store, c.Unclean = dies, true
		dead := make(chan struct{})
		go func() {
			defer close(dead)
			doomed := New(c)
			for worked := true; worked; {
				var err error
				if worked, err = doomed.Step(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}()
		<-dead
	}
	c := in.cfg
	c.Store = dies
	last := New(c)
	for worked := true; worked; {
		var err error
		if worked, err = last.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r, err := offered(t, last, b)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(results(r), ", "); got != "applied, issue internal, applied" || dies.deaths != 3 {
		t.Errorf("%s after %d deaths", got, dies.deaths)
	}
}

// dying is a store on which reading one record for a verdict ends the process.
type dying struct {
	store.Store
	record string
	deaths int
}

func (d *dying) Update(ctx context.Context, do func(store.Writer) error) error {
	return d.Store.Update(ctx, func(w store.Writer) error { return do(&deadly{w, d}) })
}

type deadly struct {
	store.Writer
	d *dying
}

// Row ends all that is under way, as a kill does: nobody can recover from it.
func (d *deadly) Row(ws, id string) (*store.Row, error) {
	if id == d.d.record {
		d.d.deaths++
		runtime.Goexit()
	}
	return d.Writer.Row(ws, id)
}

// More than one transaction takes waits for the next, unstored; what has waited
// long is captured, so that its device hears of it.
func TestMoreThanOneTransaction(t *testing.T) {
	in, st := stocked(t, 0)
	now := in.cfg.Clock()
	in.cfg.Clock = func() time.Time { return now }
	in.batch = 2
	devices := []string{"phone", "tablet", "old"}
	if err := st.Update(t.Context(), func(w store.Writer) error {
		for _, id := range devices[1:] {
			if err := w.PutReplica("w", &store.Replica{ID: id, User: "emma", Incarnation: 1, Next: 1}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	offers := make([]*captured, 0, len(devices))
	for i, id := range devices {
		b := strings.Replace(string(body(t, 1, creation(1, "one"), creation(2, "two"))), `"phone"`, `"`+id+`"`, 1)
		b = strings.ReplaceAll(b, sheet, sheet[:len(sheet)-1]+string(rune('1'+i)))
		c := &captured{ws: "w", row: store.Push{Replica: id, Body: []byte(b), Received: now}, offer: &Offered{in: in, done: make(chan struct{}), stored: make(chan struct{})}}
		if err := json.Unmarshal([]byte(b), &c.push); err != nil {
			t.Fatal(err)
		}
		offers = append(offers, c)
	}
	in.offers = append(in.offers, offers...)
	answered := func(c *captured) bool {
		if !c.offer.Judged() {
			return false
		}
		reply, err := c.offer.Reply()
		return err == nil && reply.Next == 3
	}
	first := *offers[0]
	if _, err := in.Step(t.Context()); err != nil || !answered(&first) || len(in.offers) != 2 || len(in.pending) != 0 {
		t.Fatalf("after one step %d are offered and %d captured: %v", len(in.offers), len(in.pending), err)
	}
	now = now.Add(in.cfg.Patience) // both have waited long, and one still fits
	second, third := *offers[1], *offers[2]
	if _, err := in.Step(t.Context()); err != nil || !answered(&second) {
		t.Fatal(err)
	}
	select {
	case <-third.offer.stored:
	default:
		t.Error("what waited long was not captured")
	}
	for worked := true; worked; {
		var err error
		if worked, err = in.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !answered(&third) {
		t.Error("what was captured was not judged")
	}
}
