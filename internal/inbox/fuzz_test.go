package inbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/examples"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

// expenses is compiled once: what is fuzzed is the push.
var expenses = sync.OnceValue(func() *definition.App {
	app := definition.MustCompile("app.yaml", examples.Expenses)
	app.Version = 1
	return app
})

// What a push may cost in memory, whatever it holds: a share for judging at all,
// so many bytes for each that was sent, and so many for each that can be a
// mutation, since each becomes an issue at least.
func mostMemory(body []byte) uint64 {
	return uint64(512<<10 + 200*len(body) + (32<<10)*(bytes.Count(body, []byte(","))+1))
}

// fresh is an inbox over an empty store with Emma's phone, which has handed in
// one expense. Two of them are the same in everything.
func fresh(t *testing.T) *Inbox {
	t.Helper()
	st := memory.New()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	err := st.Update(t.Context(), func(w store.Writer) error {
		if err := w.CreateWorkspace("w", store.Head{Epoch: "e", Time: now, Definition: 1}); err != nil {
			return err
		}
		if err := w.PutUser("w", &store.User{Name: "emma", Roles: []string{"employee"}}); err != nil {
			return err
		}
		return w.PutReplica("w", &store.Replica{ID: "phone", User: "emma", Incarnation: 1, Next: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := 0
	in := New(Config{
		Store: st, Definitions: published{expenses()}, Clock: func() time.Time { return now }, Mark: func() string { return "m" },
		NewID:  func() string { ids++; return fmt.Sprintf("0198c3ab-0000-7000-8000-%012d", ids) },
		Limits: wire.DefaultLimits(), Patience: time.Hour,
	})
	if _, err := offered(t, in, around(creation(1, "one"), 1, "")); err != nil {
		t.Fatal(err)
	}
	return in
}

// around is a push of mutations as they are, JSON or not.
func around(mutations string, first int, previous string) []byte {
	return []byte(fmt.Sprintf(`{"replica":"phone","incarnation":1,"clock":"2026-03-01T09:00:00Z","protocol":1,"definition":1,"first":%d,"previous_hash":%q,"waiting":1,"mutations":[%s]}`, first, previous, mutations))
}

// answer is all that a device gets to know of its push.
func answer(t *testing.T, in *Inbox, body []byte) string {
	t.Helper()
	r, err := offered(t, in, body)
	if err != nil {
		switch c := landfall.CodeOf(err); c {
		case landfall.CodeInvalid, landfall.CodeForbidden, landfall.CodeTooLarge:
			return string(c)
		default:
			t.Fatalf("%s: %v", c, err)
		}
	}
	var sent wire.Push
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatalf("it was taken in, but is no push: %v", err)
	}
	if !r.Gap && len(r.Receipts) != len(sent.Mutations) {
		t.Fatalf("%d receipts for %d mutations", len(r.Receipts), len(sent.Mutations))
	}
	for _, x := range r.Receipts {
		if x.Kind == landfall.KindInternal {
			t.Fatalf("a change could not be judged: %+v", x)
		}
	}
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// judgedAlike pushes the body twice into each of two worlds: all four answers
// are one, and none costs more memory than its size allows.
func judgedAlike(t *testing.T, body []byte) {
	t.Helper()
	one, other := fresh(t), fresh(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	first := answer(t, one, body)
	runtime.ReadMemStats(&after)
	if cost, most := after.TotalAlloc-before.TotalAlloc, mostMemory(body); cost > most {
		t.Errorf("%d bytes were allocated for a push of %d, more than %d", cost, len(body), most)
	}
	if again := answer(t, one, body); again != first {
		t.Errorf("the same push again:\n%s\n%s", first, again)
	}
	if elsewhere := answer(t, other, body); elsewhere != first {
		t.Errorf("the same push elsewhere:\n%s\n%s", first, elsewhere)
	}
}

// FuzzPush sends any bytes as a push.
func FuzzPush(f *testing.F) {
	previous := core.Hash([]byte(creation(1, "one")))
	good := string(around(creation(2, "two")+","+creation(3, "three"), 2, previous))
	f.Add([]byte(good))
	f.Add(around(creation(1, "one"), 1, ""))                  // a repetition
	f.Add(around(creation(1, "other"), 1, ""))                // a fork
	f.Add(around(creation(2, "two"), 2, "forged"))            // after what was never sent
	f.Add(around(creation(9, "nine"), 9, previous))           // a gap
	f.Add(around("", 2, previous))                            // nothing
	f.Add(around(`null,1,"",{},[]`, 2, previous))             // no mutations
	f.Add(around(creation(2, "\x00\xff\u2028"), 2, previous)) // odd text
	f.Add(around(strings.Repeat("1,", 499)+"1", 2, previous)) // as many faults as fit
	f.Add([]byte(good[:len(good)-9]))
	f.Add([]byte(strings.Replace(good, `"incarnation":1`, `"incarnation":9223372036854775807`, 1)))
	f.Add([]byte(strings.Replace(good, `"first":2`, `"first":9223372036854775807`, 1)))
	f.Add([]byte(strings.Replace(good, "2026-03-01T09:00:00Z", "0000-01-01T00:00:00+23:59", 1)))
	f.Add([]byte(strings.Replace(good, `"waiting":1`, `"waiting":-1`, 1)))
	f.Fuzz(judgedAlike)
}

// FuzzPushedMutation sends any bytes as a mutation in its right place.
func FuzzPushedMutation(f *testing.F) {
	previous := core.Hash([]byte(creation(1, "one")))
	const of = `"type":"expense","id":"` + sheet + `1","base":{"version":1,"status":"draft","was":{"amount":"120"}},"made_at":"2026-03-01T08:00:00Z"`
	for _, m := range []string{
		creation(2, "two"),
		`{"n":2,"op":"update",` + of + `,"set":{"amount":140,"notes":"taxi"}}`,
		`{"n":2,"op":"transition","transition":"submit",` + of + `,"definition":1}`,
		`{"n":2,"op":"delete",` + of + `}`,
		`{"n":2,"op":"restore",` + of + `}`,
		`{"n":2,"op":"update",` + of + `,"set":{"amount":"1e999"},"group":{"id":"g","of":2}}`,
		`{"n":2,"op":"update",` + of + `,"set":{"nothing":null},"amends":{"issue":"x"}}`,
		`{"n":2,"op":"withdraw","issue":"x","made_at":"2026-03-01T08:00:00Z"}`,
		`{"n":2,"op":"void","made_at":"2026-03-01T08:00:00Z"}`,
		`{"n":2,"op":"lost","made_at":"0000-01-01T00:00:00+23:59"}`,
		strings.Replace(creation(2, "two"), "2026-03-01T08:00:00Z", "9999-12-31T23:59:59-23:59", 1),
		strings.Replace(creation(2, "two"), "2026-03-01T08:00:00Z", "0000-01-01T00:00:00+23:59", 1),
		strings.Repeat("[", 64) + strings.Repeat("]", 64),
	} {
		f.Add([]byte(m))
	}
	f.Fuzz(func(t *testing.T, mutation []byte) { judgedAlike(t, around(string(mutation), 2, previous)) })
}
