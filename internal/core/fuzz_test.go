package core_test

import (
	"encoding/json"
	"testing"

	"github.com/landfall-sync/landfall/internal/core"
)

// Whatever is sent, reading it does not fail in any way but by a message, and
// what is read is what was written. What Salvage makes out is what ParseMutation
// would have read.
func FuzzParseMutation(f *testing.F) {
	for _, v := range load(f)["envelope"] {
		f.Add(v.raw(f))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, bad := core.ParseMutation(b, 0, core.Limits{MaxBytes: 4096, MaxDepth: 16, MaxGroup: 100})
		found := core.Salvage(b)
		if bad != nil {
			if bad.Code == "" || bad.Text == "" {
				t.Fatalf("a message without words: %+v", bad)
			}
			if _, again := core.ParseMutation(b, 0, core.Limits{MaxBytes: 4096, MaxDepth: 16, MaxGroup: 100}); dump(again) != dump(bad) {
				t.Fatalf("another message the second time: %+v", again)
			}
			return
		}
		if found.Op != m.Op || found.ID != m.ID || found.Type != "" && found.Type != m.Type {
			t.Fatalf("salvaged %+v of %+v", found, m)
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if m2, bad := core.ParseMutation(again, m.N, core.Limits{}); bad != nil || dump(m2) != dump(m) {
			t.Fatalf("read again: %+v %s", bad, again)
		}
	})
}
