// Package bench measures a server as its users meet it: a process of its own,
// over HTTP, with durable commits, beside what the same engine does alone.
package bench

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Bench says what to measure, and where.
type Bench struct {
	Program string   // of the server
	Env     []string // for it, besides this process's
	Dir     string   // an empty folder
	Time    time.Duration
	Only    string // measures whose names contain it
	Large   int    // records of the large database
	Out     io.Writer
}

// Row is one measure.
type Row struct {
	Name      string        `json:"name"`
	Count     int64         `json:"count"`
	Refused   int64         `json:"refused,omitempty"`
	Took      time.Duration `json:"took"`
	Latency   latencies     `json:"-"`
	ServerCPU time.Duration `json:"server_cpu,omitempty"`
	LoadCPU   time.Duration `json:"load_cpu,omitempty"`
	Memory    int64         `json:"memory,omitempty"`
	Wire      int64         `json:"wire,omitempty"`
	Disk      int64         `json:"disk,omitempty"`
	Note      string        `json:"note,omitempty"`
	Once      bool          `json:"once,omitempty"` // it is a time, not a rate
}

// Rate is how many a second.
func (r *Row) Rate() float64 {
	if r.Took <= 0 {
		return 0
	}
	return float64(r.Count) / r.Took.Seconds()
}

type measure struct {
	name string
	run  func(context.Context) ([]*Row, error)
}

// Run measures and prints a table as it goes.
func (b *Bench) Run(ctx context.Context) ([]*Row, error) {
	var rows []*Row
	t := tabwriter.NewWriter(b.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	raw := 0.0
	fmt.Fprintln(t, "measure\tcount\ta second\tof raw\tp50\tp99\tserver CPU\tload CPU\tmemory\twire\tdisk\t")
	for _, m := range b.measures() {
		if b.Only != "" && !strings.Contains(m.name, b.Only) && !strings.HasPrefix(m.name, "raw SQLite, 1000") {
			continue
		}
		got, err := m.run(ctx)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", m.name, err)
		}
		for _, r := range got {
			if strings.HasPrefix(r.Name, "raw SQLite, 1000") {
				raw = r.Rate()
			}
			r.print(t, raw)
		}
		if err := t.Flush(); err != nil {
			return rows, err
		}
		rows = append(rows, got...)
	}
	return rows, nil
}

func (r *Row) print(w io.Writer, raw float64) {
	rate, ratio := fmt.Sprintf("%.0f", r.Rate()), "-"
	if r.Once {
		rate = "-"
	} else if raw > 0 {
		ratio = fmt.Sprintf("%.2f", r.Rate()/raw)
	}
	name := r.Name
	if r.Refused > 0 {
		name += fmt.Sprintf(" (%d refused)", r.Refused)
	}
	if r.Note != "" {
		name += ": " + r.Note
	}
	fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", name, r.Count, rate, ratio,
		short(r.Latency.at(.5)), short(r.Latency.at(.99)), each(r.ServerCPU, r.Count), each(r.LoadCPU, r.Count), size(r.Memory), size(r.Wire), size(r.Disk))
}

func short(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f ms", float64(d)/1e6)
}

// each is a CPU time as a share of each of the things counted.
func each(d time.Duration, n int64) string {
	if d == 0 || n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f µs", float64(d)/1e3/float64(n))
}

func size(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

func one(r *Row, err error) ([]*Row, error) { return []*Row{r}, err }

func (b *Bench) measures() []measure {
	var out []measure
	for _, n := range []int{1, 100, 1000} {
		name := fmt.Sprintf("raw SQLite, %d a commit", n)
		out = append(out, measure{name, func(ctx context.Context) ([]*Row, error) { return one(b.raw(ctx, n)) }})
	}
	for _, n := range []int{1, 100, 1000} {
		name := fmt.Sprintf("push, %d a time", n)
		out = append(out, measure{name, func(ctx context.Context) ([]*Row, error) { return one(b.pushes(ctx, name, n, 0)) }})
	}
	return append(out,
		measure{"mixed, 100 a time", func(ctx context.Context) ([]*Row, error) { return one(b.pushes(ctx, "mixed, 100 a time", 100, 20)) }},
		measure{"refusals, 100 a time", func(ctx context.Context) ([]*Row, error) {
			return one(b.pushes(ctx, "refusals, 100 a time", 100, 1))
		}},
		measure{"storm", func(ctx context.Context) ([]*Row, error) { return one(b.storm(ctx)) }},
		measure{"sizes: pulls and verdicts", b.sizes},
	)
}
