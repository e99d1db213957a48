package rehearse

import (
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall/internal/wire"
)

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		o    wire.Rehearsal
		want string
	}{
		{wire.Rehearsal{Problems: []wire.Problem{{}, {Warning: true}}}, "It can't be published: it has 1 mistake."},
		{wire.Rehearsal{Unchanged: true}, "It is what is published: nothing changes."},
		{wire.Rehearsal{}, "It would leave no records invalid."},
		{wire.Rehearsal{
			Issues: wire.RehearsedIssues{Open: 40, Fixed: 12}, Items: wire.RehearsedItems{Judged: 10_000, Refused: 300}, Records: wire.RehearsedRecords{Invalid: 17},
		}, "It would fix 12 of 40 open issues, newly refuse 3 % of the last 10000 changes, and leave 17 records invalid."},
		{wire.Rehearsal{
			Issues: wire.RehearsedIssues{Open: 1, Broken: 1}, Items: wire.RehearsedItems{Judged: 10_000, Refused: 20}, Records: wire.RehearsedRecords{Invalid: 1, Stranded: 2},
		}, "It would fix 0 of 1 open issue, break 1 that a retry settles now, newly refuse 20 of the last 10000 changes, and leave 1 record invalid and 2 stranded."},
		{wire.Rehearsal{Records: wire.RehearsedRecords{Stranded: 1}}, "It would leave 1 record stranded."},
	} {
		if got := verdict(&c.o); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// Causes hold names that devices made up: how many are listed is bounded, and
// none is lost from the count.
func TestGroupsAreBounded(t *testing.T) {
	g := groups{}
	for i := range 3 * mostGroups {
		for range 1 + i%2 {
			g.add(wire.EffectRefused, fmt.Sprint("cause ", i), one{user: fmt.Sprint("user ", i%2), example: fmt.Sprint(i), head: wire.RehearsedGroup{Cause: fmt.Sprint(i)}})
		}
	}
	list, more := g.list()
	count := more[wire.EffectRefused]
	for _, x := range list {
		count += x.Count
		if len(x.Examples) > mostExamples || x.Users != 1 {
			t.Errorf("%+v", x)
		}
	}
	if len(list) != mostGroups || count != 3*mostGroups*3/2 || list[0].Count < list[len(list)-1].Count {
		t.Errorf("%d groups of %d cases", len(list), count)
	}
}
