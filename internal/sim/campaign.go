package sim

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Campaign plays many seeds, one after the other, on several workers. Each seed
// is a world of its own.
type Campaign struct {
	Swarm   Swarm
	From    uint64        // the first seed
	Seeds   int           // 0: until the time is over
	Time    time.Duration // no seed begins after it; 0: until all seeds are played
	Workers int           // 0: as many as there are processors

	Every    time.Duration // how often progress is told; 0: each second
	Progress func(*Report) // nil: nobody asks

	play  player // for tests
	alone bool   // without pairs, for tests that play nothing
}

// Report is what a campaign came to, or has come to until now.
type Report struct {
	Swarm     Swarm         `json:"swarm"`
	From      uint64        `json:"from"`
	Seeds     int           `json:"seeds"`     // that were played, from the first on
	Twice     int           `json:"twice"`     // of them, to compare their traces
	Paired    int           `json:"paired"`    // of them, with a world that differs in what one user may not see
	Steps     int64         `json:"steps"`     // without those of the second time and of pairs
	Simulated float64       `json:"simulated"` // seconds
	Took      time.Duration `json:"took"`
	Workers   int           `json:"workers"`

	Faults map[Fault]int  `json:"faults"` // in how many worlds it was in force
	Met    map[string]int `json:"met"`    // how often it came about
	Aims   map[string]int `json:"aims"`   // by name: in how many worlds it was reached
	Found  []Found        `json:"found"`  // by seed
}

func newReport() *Report {
	return &Report{Faults: map[Fault]int{}, Met: map[string]int{}, Aims: map[string]int{}, Found: []Found{}}
}

// Found is a seed that broke a promise, and the first one that it broke.
type Found struct {
	Seed uint64 `json:"seed"`
	Violation
}

// Of every ten seeds, one is played twice, and one as a pair.
func playedTwice(seed uint64) bool  { return seed%10 == 0 }
func playedPaired(seed uint64) bool { return seed%10 == 5 }

// Run plays until all is played, the time is over or ctx ends: then it gives
// what is known. What has begun is played to its end.
func (c Campaign) Run(ctx context.Context) *Report {
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Every <= 0 {
		c.Every = time.Second
	}
	if c.play == nil {
		c.play = Try
	}
	began := time.Now()
	r := newReport()
	r.Swarm, r.From, r.Workers = c.Swarm, c.From, c.Workers
	results := c.start(ctx, began)
	tick := time.NewTicker(c.Every)
	defer tick.Stop()
	for open := true; open; {
		select {
		case one, more := <-results:
			if open = more; more {
				r.add(one)
			}
		case <-tick.C:
			if r.Took = time.Since(began); c.Progress != nil {
				c.Progress(r)
			}
		}
	}
	r.Took = time.Since(began)
	slices.SortFunc(r.Found, func(a, b Found) int { return cmp.Compare(a.Seed, b.Seed) })
	return r
}

// start lets the workers go; what they tell ends when all are done.
func (c *Campaign) start(ctx context.Context, began time.Time) <-chan *Result {
	var mu sync.Mutex
	begun := 0
	next := func() (uint64, bool) {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() != nil || c.Seeds > 0 && begun >= c.Seeds || c.Time > 0 && time.Since(began) >= c.Time {
			return 0, false
		}
		begun++
		return c.From + uint64(begun-1), true
	}
	results := make(chan *Result)
	var all sync.WaitGroup
	for range c.Workers {
		all.Go(func() {
			for seed, more := next(); more; seed, more = next() {
				results <- c.one(context.WithoutCancel(ctx), seed)
			}
		})
	}
	go func() {
		all.Wait()
		close(results)
	}()
	return results
}

// one plays a seed.
func (c *Campaign) one(ctx context.Context, seed uint64) *Result {
	s := c.Swarm.Draw(seed)
	switch o := (Options{Seed: seed}); {
	case playedTwice(seed):
		return twice(ctx, &s, o, c.play)
	case playedPaired(seed) && !c.alone:
		return paired(ctx, &s, o, c.play)
	default:
		return c.play(ctx, &s, o)
	}
}

func (r *Report) add(one *Result) {
	s := &one.Scenario
	r.Seeds++
	if playedTwice(s.Seed) {
		r.Twice++
	}
	if playedPaired(s.Seed) {
		r.Paired++
	}
	r.Steps += int64(one.Steps)
	r.Simulated += one.Simulated.Seconds()
	for _, f := range s.Conf.Faults {
		if s.inForce(f) {
			r.Faults[f]++
		}
	}
	for what, n := range one.Met {
		r.Met[what] += n
	}
	for i := range aims {
		if aims[i].reached(one) {
			r.Aims[aims[i].Name]++
		}
	}
	if len(one.Violations) > 0 {
		r.Found = append(r.Found, Found{s.Seed, one.Violations[0]})
	}
}

// Rate is steps a second of each worker.
func (r *Report) Rate() float64 {
	if r.Took <= 0 {
		return 0
	}
	return float64(r.Steps) / r.Took.Seconds() / float64(r.Workers)
}

// Bound is the share of seeds with a violation that is excluded with a confidence
// of 95 %, when none had one: the rule of three. 1 if nothing is excluded.
func (r *Report) Bound() float64 {
	if len(r.Found) > 0 || r.Seeds < 3 {
		return 1
	}
	return 3 / float64(r.Seeds)
}
