package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// expense is the id of the n-th expense of a test.
func expense(n int) string { return fmt.Sprintf("0198c3ad-0000-7000-8000-%012d", n) }

// refusedMany pushes creations that lack a right: issues of one cause.
func refusedMany(t testing.TB, in *Inbox, many int) {
	t.Helper()
	previous := ""
	for first := 1; first <= many; {
		p := wire.Push{Replica: "phone", Incarnation: 1, Clock: in.cfg.Clock(), Protocol: wire.Protocol, Definition: 1, First: int64(first), PreviousHash: previous}
		for ; first <= many && len(p.Mutations) < in.cfg.Limits.Batch; first++ {
			m := strings.Replace(creation(int64(first), "trip"), fmt.Sprintf("%s%d", sheet, first), expense(first), 1)
			p.Mutations = append(p.Mutations, json.RawMessage(m))
			previous = core.Hash([]byte(m))
		}
		body, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Offer(t.Context(), "w", phone, body); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// theCause is the one cause that there is.
func theCause(t testing.TB, st store.Store) (cause string, count int) {
	t.Helper()
	err := st.View(t.Context(), func(r store.Reader) error {
		groups, err := r.IssueGroups("w", "")
		for _, g := range groups {
			cause, count = g.Cause, count+g.Count
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return cause, count
}

// A large group is retried a page at a time. Ended between two, it goes on with
// what is still open, and nothing is applied twice.
func TestRetryInPages(t *testing.T) {
	in, st := stocked(t, 0)
	people(t, st, map[string][]string{"ada": {"sync_admin"}, "emma": {"manager"}})
	const many = 2*retryMost + 30
	refusedMany(t, in, many)
	cause, n := theCause(t, st)
	if n != many {
		t.Fatalf("%d issues", n)
	}
	people(t, st, map[string][]string{"emma": {"employee"}})
	retry := func(req wire.Retry) *wire.Retries {
		t.Helper()
		out, err := in.Retry(t.Context(), "w", ada, req)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	dry := retry(wire.Retry{Cause: cause, DryRun: true})
	if dry.Total != many || len(dry.Items) != retryMost || dry.Next == "" || !dry.Items[0].Settled {
		t.Errorf("dry: %d of %d, next %q", len(dry.Items), dry.Total, dry.Next)
	}
	if _, n := theCause(t, st); n != many {
		t.Errorf("a dry run leaves %d", n)
	}
	first := retry(wire.Retry{Cause: cause})
	if _, n := theCause(t, st); first.Total != many || len(first.Items) != retryMost || n != many-retryMost {
		t.Errorf("%d of %d, %d left", len(first.Items), first.Total, n)
	}
	again := retry(wire.Retry{All: true}) // as if it had been killed
	if again.Total != many-retryMost || again.Items[0].Number != first.Items[retryMost-1].Number-1 {
		t.Errorf("again: %d, beginning with %d", again.Total, again.Items[0].Number)
	}
	last := retry(wire.Retry{All: true, After: again.Next})
	if len(last.Items) != 30 || last.Next != "" || last.Total != 0 {
		t.Errorf("last: %d, next %q, total %d", len(last.Items), last.Next, last.Total)
	}
	if end := retry(wire.Retry{Cause: cause}); len(end.Items) != 0 || end.Next != "" {
		t.Errorf("in the end: %+v", end)
	}
	for n := 1; n <= many; n += 17 {
		if _, changes := recordOf(t, st, expense(n)); len(changes) != 1 {
			t.Fatalf("expense %d has %d changes", n, len(changes))
		}
	}
}

// A selection is gone through in its order, page by page, too.
func TestRetryOfASelection(t *testing.T) {
	in, st := stocked(t, 0)
	people(t, st, map[string][]string{"ada": {"sync_admin"}, "emma": {"manager"}})
	refusedMany(t, in, retryMost+20)
	var ids []string
	err := st.View(t.Context(), func(r store.Reader) error {
		rows, err := r.Issues("w", store.IssueFilter{}, store.Page{Limit: 1000})
		for _, row := range slices.Backward(rows) {
			ids = append(ids, row.Issue.ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ids = append([]string{"no such issue"}, ids...)
	out, err := in.Retry(t.Context(), "w", ada, wire.Retry{Issues: ids})
	if err != nil || len(out.Items) != retryMost || out.Total != len(ids) || out.Items[0].Messages[0].Code != string(landfall.CodeNotFound) || out.Items[1].Kind != landfall.KindAuthorization {
		t.Fatalf("%d of %d %v: %+v", len(out.Items), out.Total, err, out.Items[0])
	}
	rest, err := in.Retry(t.Context(), "w", ada, wire.Retry{Issues: ids, After: out.Next})
	if err != nil || len(rest.Items) != 21 || rest.Next != "" || rest.Items[20].Issue != ids[len(ids)-1] {
		t.Errorf("%d %v", len(rest.Items), err)
	}
	for _, after := range []string{"x", "-1", "900"} {
		if _, err := in.Retry(t.Context(), "w", ada, wire.Retry{Issues: ids, After: after}); landfall.CodeOf(err) != landfall.CodeInvalid {
			t.Errorf("after %s: %v", after, err)
		}
	}
	if n := len(audits(t, st, store.IssueRetry)); n != 100 { // a page of the audit
		t.Errorf("%d entries", n)
	}
}

// What a dry run says is what then happens, with all that waits: on worlds made
// at random.
func TestADryRunTellsTheTruth(t *testing.T) {
	settled, refused, released := 0, 0, 0
	for seed := range uint64(25) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		in, st := stocked(t, 0)
		people(t, st, map[string][]string{"ada": {"sync_admin", "employee"}, "emma": {"manager"}})
		var sent []string
		for n := int64(1); n <= 30; n++ {
			k := rnd.IntN(6)
			value := []string{"12", "-1", "40"}[rnd.IntN(3)]
			base := fmt.Sprintf(`"base":{"version":0,"after":%d,"was":{"amount":"120"}}`, n-1)
			switch rnd.IntN(4) {
			case 0:
				sent = append(sent, fmt.Sprintf(`{"n":%d,"op":"create","type":"expense","id":"%s","set":{"purpose":"trip","amount":"120","owner":"emma"},"base":{"version":0},"made_at":"2026-03-01T08:00:00Z"}`, n, expense(k)))
			case 1:
				sent = append(sent, fmt.Sprintf(`{"n":%d,"op":"transition","transition":"submit","type":"expense","id":"%s","base":{"version":0,"after":%d},"made_at":"2026-03-01T08:00:00Z"}`, n, expense(k), n-1))
			default:
				sent = append(sent, fmt.Sprintf(`{"n":%d,"op":"update","type":"expense","id":"%s","set":{"amount":"%s"},%s,"made_at":"2026-03-01T08:00:00Z"}`, n, expense(k), value, base))
			}
		}
		previous := ""
		for from := 0; from < len(sent); from += 10 {
			pushed(t, in, int64(from+1), previous, sent[from:from+10]...)
			previous = core.Hash([]byte(sent[from+9]))
			if from == 0 {
				people(t, st, map[string][]string{"emma": {[]string{"employee", "sync_admin", "manager"}[rnd.IntN(3)]}})
			}
		}
		people(t, st, map[string][]string{"emma": {"employee"}})
		for range 60 {
			rows := open(t, st)
			if len(rows) == 0 {
				break
			}
			id := rows[rnd.IntN(len(rows))]
			req := wire.Retry{Issues: []string{id}, DryRun: true}
			dry, err := in.Retry(t.Context(), "w", ada, req)
			if err != nil {
				t.Fatal(err)
			}
			req.DryRun = false
			done, err := in.Retry(t.Context(), "w", ada, req)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := outcome(t, dry), outcome(t, done); a != b {
				t.Fatalf("seed %d: it said\n%s\nand did\n%s", seed, a, b)
			}
			if done.Items[0].Settled {
				settled++
			} else {
				refused++
			}
			released += len(done.Items[0].Released)
		}
	}
	if settled == 0 || refused == 0 || released == 0 {
		t.Errorf("%d settled, %d refused, %d released: the worlds are too tame", settled, refused, released)
	}
}

func open(t *testing.T, st store.Store) (ids []string) {
	t.Helper()
	err := st.View(t.Context(), func(r store.Reader) error {
		rows, err := r.Issues("w", store.IssueFilter{State: store.Unresolved}, store.Page{Limit: 100})
		for _, row := range rows {
			ids = append(ids, row.Issue.ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// outcome is what a retry told, but for the ids of issues that it opened.
func outcome(t *testing.T, r *wire.Retries) string {
	t.Helper()
	fresh := map[string]string{}
	for i := range r.Items {
		for k := range r.Items[i].Released {
			x := &r.Items[i].Released[k]
			if x.Kind != "" {
				fresh[x.Issue] = fmt.Sprint("new ", len(fresh))
			}
			if name := fresh[x.Issue]; name != "" {
				x.Issue = name
			}
		}
	}
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// BenchmarkRetryOfACause retries 10,000 issues of one cause, while another device
// goes on pushing: how many a second, how much memory it takes at most, and how
// long the other device waits.
func BenchmarkRetryOfACause(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		in, st := stocked(b, 0)
		in.cfg.Clock = time.Now
		people(b, st, map[string][]string{"ada": {"sync_admin"}, "emma": {"manager"}, "noah": {"employee"}})
		const many = 10_000
		refusedMany(b, in, many)
		people(b, st, map[string][]string{"emma": {"employee"}})
		ctx, cancel := context.WithCancel(b.Context())
		var wg sync.WaitGroup
		wg.Go(func() { stepping(ctx, in) })
		var waits []time.Duration
		wg.Go(func() { waits = foreign(ctx, b, in, st) })
		var most uint64
		runtime.GC()
		b.StartTimer()
		began, tried, after := time.Now(), 0, ""
		for {
			out, err := in.Retry(b.Context(), "w", ada, wire.Retry{All: true, After: after})
			if err != nil {
				b.Fatal(err)
			}
			tried += len(out.Items)
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			if after = out.Next; after == "" {
				break
			}
		}
		took := time.Since(began)
		b.StopTimer()
		cancel()
		wg.Wait()
		if _, left := theCause(b, st); left > 0 || tried != many {
			b.Fatalf("%d tried, %d left", tried, left)
		}
		slices.Sort(waits)
		b.ReportMetric(many/took.Seconds(), "issues/s")
		b.ReportMetric(float64(most)/(1<<20), "MiB-heap")
		if n := len(waits); n > 0 {
			b.ReportMetric(float64(waits[n/2].Milliseconds()), "ms-push-p50")
			b.ReportMetric(float64(waits[n*99/100].Milliseconds()), "ms-push-p99")
		}
		b.StartTimer()
	}
}

func stepping(ctx context.Context, in *Inbox) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-in.Offered():
			for worked := true; worked && ctx.Err() == nil; {
				worked, _ = in.Step(ctx) // what fails shows in what is left
			}
		}
	}
}

// foreign is another device that pushes one change after the other, and how long
// each took.
func foreign(ctx context.Context, t testing.TB, in *Inbox, st store.Store) (waits []time.Duration) {
	t.Helper()
	if err := st.Update(ctx, func(w store.Writer) error {
		return w.PutReplica("w", &store.Replica{ID: "tablet", User: "noah", Incarnation: 1, Next: 1})
	}); err != nil {
		t.Error(err)
	}
	previous := ""
	for n := int64(1); ctx.Err() == nil; n++ {
		m := fmt.Sprintf(`{"n":%d,"op":"create","type":"expense","id":"0198c3ae-0000-7000-8000-%012d","set":{"purpose":"trip","amount":"1","owner":"noah"},"base":{"version":0},"made_at":"2026-03-01T08:00:00Z"}`, n, n)
		body, err := json.Marshal(wire.Push{Replica: "tablet", Incarnation: 1, Clock: time.Now(), Protocol: wire.Protocol, Definition: 1, First: n, PreviousHash: previous, Mutations: []json.RawMessage{json.RawMessage(m)}})
		if err != nil {
			t.Error(err)
		}
		previous = core.Hash([]byte(m))
		began := time.Now()
		if _, err := in.Push(ctx, "w", Device{Replica: "tablet", Actor: landfall.Actor{User: "noah"}}, body); err == nil {
			waits = append(waits, time.Since(began))
		}
	}
	return waits
}
