package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// audit: entries have places of their own, gapless, in each workspace; what
// failed leaves none; lists are newest first, and every filter narrows.
func audit(t *testing.T, b *bench) {
	add := func(ws string, e store.AuditEntry) (seq int64) {
		b.update(func(w store.Writer) error {
			err := w.AddAudit(ws, &e)
			seq = e.Seq
			return err
		})
		return seq
	}
	same(t, "the first", add("w", store.AuditEntry{At: at(1), By: "ada", Action: "user.add", Object: "emma", Outcome: store.AuditDone}), 1)
	if err := b.s.Update(t.Context(), func(w store.Writer) error {
		return errors.Join(w.AddAudit("w", &store.AuditEntry{At: at(2), By: "ada", Action: "user.add", Object: "nobody"}), errNo)
	}); !errors.Is(err, errNo) {
		t.Fatal(err)
	}
	same(t, "after what failed", add("w", store.AuditEntry{At: at(3), By: "ada", Action: "user.grant", Object: "emma", Detail: map[string]string{"role": "<manager>"}, Outcome: store.AuditDone}), 2)
	same(t, "the first of another", add("other", store.AuditEntry{At: at(1), By: "otto", Action: "user.add", Object: "emma"}), 1)
	same(t, "a device", add("w", store.AuditEntry{At: at(4), Device: "p", Action: "device.enrol", Object: "p"}), 3)
	same(t, "the clock ran backwards", add("w", store.AuditEntry{At: at(2), By: "emma", Action: "issue.claim", Object: "i1"}), 4)
	b.update(func(w store.Writer) error {
		return errors.Join(w.AddAudit("w", &store.AuditEntry{At: at(6), By: "ada", Action: "users.of", Object: "x"}),
			w.AddAudit("w", &store.AuditEntry{At: at(7), By: "ada", Action: "user.add", Object: "i1"}))
	})
	b.view(func(r store.Reader) error {
		all, err := r.Audit("w", store.AuditFilter{}, store.Page{Limit: 9})
		if err != nil || len(all) != 6 {
			t.Fatal(len(all), err)
		}
		same(t, "as written", all[4], &store.AuditEntry{Seq: 2, At: at(3), By: "ada", Action: "user.grant", Object: "emma", Detail: map[string]string{"role": "<manager>"}, Outcome: "done"})
		same(t, "time goes on", []time.Time{all[3].At, all[2].At, all[1].At}, []time.Time{at(4), at(4), at(6)})
		if _, err := r.Audit("w", store.AuditFilter{}, store.Page{After: "x", Limit: 1}); landfall.CodeOf(err) != landfall.CodeInvalid {
			t.Errorf("a cursor that is none: %v", err)
		}
		return nil
	})
	auditFilters(t, b)
}

// auditFilters: every filter narrows, alone and with others, page by page.
func auditFilters(t *testing.T, b *bench) {
	read := func(f store.AuditFilter) (got []int64) {
		b.view(func(r store.Reader) error {
			after := ""
			for {
				page, err := r.Audit("w", f, store.Page{After: after, Limit: 2})
				if err != nil || len(page) == 0 {
					return err
				}
				for _, e := range page {
					got = append(got, e.Seq)
					after = fmt.Sprint(e.Seq)
				}
			}
		})
		return got
	}
	for name, c := range map[string]struct {
		f    store.AuditFilter
		want []int64
	}{
		"all":             {store.AuditFilter{}, []int64{6, 5, 4, 3, 2, 1}},
		"by":              {store.AuditFilter{By: "ada"}, []int64{6, 5, 2, 1}},
		"area":            {store.AuditFilter{Action: "user"}, []int64{6, 2, 1}},
		"action":          {store.AuditFilter{Action: "user.add"}, []int64{6, 1}},
		"part of an area": {store.AuditFilter{Action: "use"}, nil},
		"object":          {store.AuditFilter{Object: "emma"}, []int64{2, 1}},
		"device":          {store.AuditFilter{Device: "p"}, []int64{3}},
		"since":           {store.AuditFilter{Since: at(4)}, []int64{6, 5, 4, 3}},
		"until":           {store.AuditFilter{Until: at(4)}, []int64{2, 1}},
		"span":            {store.AuditFilter{Since: at(3), Until: at(6)}, []int64{4, 3, 2}},
		"a later time":    {store.AuditFilter{Since: at(8)}, nil},
		"an earlier time": {store.AuditFilter{Until: at(1)}, nil},
		"together":        {store.AuditFilter{By: "ada", Action: "user.add", Object: "i1", Since: at(7), Until: at(8)}, []int64{6}},
		"text":            {store.AuditFilter{Text: "MANAGER"}, []int64{2}},
		"text, narrowed":  {store.AuditFilter{Text: "emma", Action: "user.add"}, []int64{1}},
		"nothing":         {store.AuditFilter{By: "ada", Object: "p"}, nil},
	} {
		same(t, name, read(c.f), c.want)
	}
	b.view(func(r store.Reader) error {
		s := store.Scan[store.AuditEntry]{Page: store.Page{Limit: 9}, Most: 2}
		for _, want := range []struct {
			seqs []int64
			next string
		}{{nil, "5"}, {nil, "3"}, {[]int64{2}, ""}} {
			got, err := r.SearchAudit("w", store.AuditFilter{Text: "manager"}, s)
			if err != nil {
				return err
			}
			var seqs []int64
			for _, e := range got.Rows {
				seqs = append(seqs, e.Seq)
			}
			same(t, "a bounded search", []any{len(seqs), got.Next, got.To.IsZero()}, []any{len(want.seqs), want.next, want.next == ""})
			s.After = got.Next
		}
		return nil
	})
}
