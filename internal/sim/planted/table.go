package planted

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// How much of a text the table shows, in characters.
const (
	whatShown = 60
	textShown = 70
)

// table prints what the hunt came to: a line a bug, and the sum.
func table(out io.Writer, found []Found) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "\nbug\twhat is broken\tseed\tafter\twithin\tby\t")
	good := 0
	for i := range found {
		f := &found[i]
		seed, after, by := "-", strconv.Itoa(f.Seeds), f.Rule
		switch {
		case f.Outcome != ByRule && f.Outcome != ByCrash:
			by = strings.ToUpper(string(f.Outcome))
		case !f.Good() && f.Seeds > f.Within:
			by += " (TOO LATE)"
		case !f.Good():
			by += " (EXPECTED " + strings.Join(f.Bug.Finds, " or ") + ")"
		}
		if f.Outcome == ByRule || f.Outcome == ByCrash {
			seed = strconv.FormatUint(f.Seed, 10)
		}
		if f.Seeds == 0 {
			after = "-"
		}
		if f.Good() {
			good++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", f.Bug.Name, shown(f.Bug.What, whatShown), seed, after, f.Within, by, shown(f.Text, textShown))
	}
	fmt.Fprintf(w, "\n%d of %d bugs found\n", good, len(found))
	return w.Flush()
}

// shown is the beginning of a text, on one line.
func shown(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		text = strings.TrimRight(string(r[:most-1]), " ,;:") + "…"
	}
	return text
}
