// Hunt runs seeds of the simulation until one finds something, and says so in
// one line of JSON. It is the program that bugs are planted in.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/landfall-sync/landfall/internal/sim"
)

// answer is the line that is printed in the end.
type answer struct {
	Seed  uint64 `json:"seed,omitempty"` // that found something
	Seeds int    `json:"seeds"`          // that were run
	Rule  string `json:"rule,omitempty"`
	Text  string `json:"text,omitempty"`
	Crash bool   `json:"crash,omitempty"`
	Clean bool   `json:"clean,omitempty"`
}

func main() {
	seeds := flag.Int("seeds", 200, "how many seeds to run, at most")
	from := flag.Uint64("from", 1, "the first seed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	a := answer{}
	for a.Seeds < *seeds && a.Rule == "" && !a.Crash && ctx.Err() == nil {
		a = run(ctx, *from+uint64(a.Seeds), a.Seeds+1)
	}
	a.Clean = a.Rule == "" && !a.Crash && a.Seeds == *seeds
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		panic(err) // whoever reads it is gone
	}
}

// run plays one seed. A panic in it is an answer, too: the bug made it.
func run(ctx context.Context, seed uint64, seeds int) (a answer) {
	a = answer{Seed: seed, Seeds: seeds}
	defer func() {
		if p := recover(); p != nil {
			a.Crash, a.Text = true, fmt.Sprint(p)
		}
	}()
	if r := sim.Seed(ctx, seed); len(r.Violations) > 0 && ctx.Err() == nil {
		a.Rule, a.Text = r.Violations[0].Rule, r.Violations[0].Text
	}
	return a
}
