package rehearse

import (
	"fmt"
	"strings"

	"github.com/landfall-sync/landfall/internal/wire"
)

// verdict is a rehearsal in one sentence.
func verdict(o *wire.Rehearsal) string {
	if wrong := mistakes(o.Problems); wrong > 0 {
		return fmt.Sprintf("It can't be published: it has %s.", many(wrong, "mistake", "mistakes"))
	}
	if o.Unchanged {
		return "It is what is published: nothing changes."
	}
	var parts []string
	if i := &o.Issues; i.Open > 0 {
		parts = append(parts, fmt.Sprintf("fix %d of %s", i.Fixed, many(i.Open, "open issue", "open issues")))
		if i.Broken > 0 {
			parts = append(parts, fmt.Sprintf("break %d that a retry settles now", i.Broken))
		}
	}
	if i := &o.Items; i.Judged > 0 {
		parts = append(parts, fmt.Sprintf("newly refuse %s of the last %s", share(i.Refused, i.Judged), many(i.Judged, "change", "changes")))
	}
	switch r := &o.Records; {
	case r.Invalid > 0 && r.Stranded > 0:
		parts = append(parts, fmt.Sprintf("leave %s invalid and %d stranded", many(r.Invalid, "record", "records"), r.Stranded))
	case r.Stranded > 0:
		parts = append(parts, fmt.Sprintf("leave %s stranded", many(r.Stranded, "record", "records")))
	default:
		parts = append(parts, fmt.Sprintf("leave %s invalid", many(r.Invalid, "record", "records")))
	}
	last := len(parts) - 1
	switch last {
	case 0:
		return "It would " + parts[0] + "."
	default:
		return "It would " + strings.Join(parts[:last], ", ") + ", and " + parts[last] + "."
	}
}

func mistakes(problems []wire.Problem) (n int) {
	for _, p := range problems {
		if !p.Warning {
			n++
		}
	}
	return n
}

// many is a count with its noun.
func many(n int, one, more string) string {
	switch n {
	case 0:
		return "no " + more
	case 1:
		return "1 " + one
	default:
		return fmt.Sprintf("%d %s", n, more)
	}
}

// share is a part of a whole: none, the number where it is small, else percent.
func share(part, whole int) string {
	percent := 100 * float64(part) / float64(whole)
	switch {
	case part == 0:
		return "none"
	case part < 10 || percent < 1:
		return fmt.Sprint(part)
	default:
		return fmt.Sprintf("%.0f %%", percent)
	}
}
