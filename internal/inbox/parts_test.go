package inbox

import (
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall/internal/store"
)

// What is held of a part is held of its whole, also where its group did not come
// whole: a change of the whole waits behind it, whether it is malformed or a fork.
func TestPartHoldsItsWholeWithoutItsGroup(t *testing.T) {
	const end = `,"definition":3,"made_at":"2026-03-01T08:00:00Z"}`
	const group = `,"base":{"version":0},"group":{"id":"g","of":2}` + end
	site := `{"n":1,"op":"create","type":"site","id":"` + sheet + `1","set":{"name":"quay"}` + group
	part := `{"n":2,"op":"create","type":"task","id":"` + sheet + `2","set":{"order":"0198c3aa-0000-7000-9000-000000000000","title":"load"}` + group
	void := func(n int) string { return fmt.Sprintf(`{"n":%d,"op":"void"`, n) + end }
	whole := `{"n":1,"op":"update","type":"order","id":"0198c3aa-0000-7000-9000-000000000000","set":{"urgent":true},"base":{"version":2}` + end
	for name, c := range map[string]struct {
		before, group []string // what comes before, and what comes of the group
		said          string
	}{
		"malformed": {nil, []string{void(1), part}, "applied, issue malformed; next 3"},
		"a fork":    {[]string{site, void(2)}, []string{site, part}, "issue malformed, issue fork; forked; next 3"},
	} {
		t.Run(name, func(t *testing.T) {
			in, st := docked(t, 1)
			ids := 0
			in.cfg.NewID = func() string { ids++; return fmt.Sprintf("0198c3ab-0000-7000-8000-%012d", ids) }
			people(t, st, map[string][]string{"emma": {"boss", "worker"}})
			if err := st.Update(t.Context(), func(w store.Writer) error {
				return w.PutReplica("w", &store.Replica{ID: "phone", User: "emma", Incarnation: 1, Next: 1})
			}); err != nil {
				t.Fatal(err)
			}
			pushedIn(t, in, 1, 1, "", c.before...)
			r := pushedIn(t, in, 1, 1, "", c.group...)
			if got := said(r); got != c.said {
				t.Fatalf("%s, want %s", got, c.said)
			}
			if got := pushedIn(t, in, 2, 1, "", whole).Receipts[0]; !got.Waiting || got.Issue != r.Receipts[1].Issue {
				t.Errorf("the change of the whole: %+v, the part: %+v", got, r.Receipts[1])
			}
		})
	}
}
