package inbox

import (
	"strconv"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// histories answers by the checkpoint itself.
type histories struct{ asked int }

func (h *histories) Lost(_ store.Reader, _, checkpoint string) (lost, proved bool, err error) {
	h.asked++
	return checkpoint != "here", checkpoint == "proved", nil
}

// A base of lost history does not count as seen, although the version that it
// names is there: with another meaning. The old values decide.
func TestBaseOfLostHistory(t *testing.T) {
	update := func(version int64, was string) string {
		return `{"n":2,"op":"update","type":"expense","id":"` + sheet + `1","set":{"amount":"9"},"base":{"version":` + strconv.FormatInt(version, 10) + `,"status":"draft","was":{"amount":"` + was + `"}},"made_at":"2026-03-01T08:01:00Z"}`
	}
	for name, c := range map[string]struct {
		was, header, want string
		epoch             bool
	}{
		"of this history":               {"7", `"checkpoint":"here"`, "applied", false},
		"of another, the old value":     {"120", `"checkpoint":"gone"`, "applied", false},
		"of another, another old value": {"7", `"checkpoint":"gone"`, "issue field-conflict", false},
		"made before that was noticed":  {"7", `"lost_through":2`, "issue field-conflict", false},
		"made after it":                 {"7", `"lost_through":1`, "applied", false},
		"of a history that went away":   {"120", `"checkpoint":"proved"`, "applied", true},
	} {
		in, st := stocked(t, 0)
		in.cfg.History = &histories{}
		first := creation(1, "one")
		before := headOf(t, st).Epoch
		r := pushed(t, in, 1, "", first)
		b := string(body(t, 2, update(r.Receipts[0].Seq, c.was)))
		b = strings.Replace(b, `"first":2`, `"first":2,"previous_hash":"`+core.Hash([]byte(first))+`",`+c.header, 1)
		r, err := offered(t, in, []byte(b))
		if err != nil {
			t.Fatal(name, err)
		}
		if got := results(r)[0]; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if epoch := headOf(t, st).Epoch; (epoch != before) != c.epoch {
			t.Errorf("%s: the epoch went from %q to %q", name, before, epoch)
		}
		audited(t, name, st, c.epoch)
	}
}

// audited: the audit tells of the new epoch, and of nothing else that was pushed.
func audited(t *testing.T, name string, st store.Store, epoch bool) {
	t.Helper()
	if err := st.View(t.Context(), func(r store.Reader) error {
		all, err := r.Audit("w", store.AuditFilter{}, store.Page{Limit: 9})
		if !epoch && len(all) > 0 {
			t.Errorf("%s: the audit has %+v", name, all[0])
		}
		if epoch && (len(all) != 1 || all[0].Action != store.EpochBegin || all[0].By != store.ByServer || all[0].Device != "phone") {
			t.Errorf("%s: the audit has %d entries: %+v", name, len(all), all)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// A checkpoint that was found to be of this history is not looked up again.
func TestHistoryIsAskedOnce(t *testing.T) {
	in, _ := stocked(t, 0)
	h := &histories{}
	in.cfg.History = h
	b := strings.Replace(string(body(t, 1, creation(1, "one"))), `"first":1`, `"first":1,"checkpoint":"here"`, 1)
	for range 3 {
		if _, err := offered(t, in, []byte(b)); err != nil {
			t.Fatal(err)
		}
	}
	if h.asked != 1 {
		t.Errorf("asked %d times", h.asked)
	}
}

// A push of nothing is answered with where the device stands, however much is to be
// done, and whether its history is lost; a push of something is not.
func TestWhereADeviceStands(t *testing.T) {
	first := creation(1, "one")
	for name, lost := range map[string]bool{"here": false, "gone": true} {
		in, _ := stocked(t, 0)
		in.cfg.History = &histories{}
		if r := pushed(t, in, 1, "", first); r.Expects != nil || r.Lost {
			t.Errorf("a push of something is answered with %+v, lost %t", r.Expects, r.Lost)
		}
		b := strings.Replace(string(body(t, 2)), `"first":2`, `"first":2,"checkpoint":"`+name+`"`, 1)
		r, err := offered(t, in, []byte(b))
		if err != nil {
			t.Fatal(err)
		}
		if want := (wire.Expects{Incarnation: 1, Next: 2, LastHash: core.Hash([]byte(first))}); r.Expects == nil || *r.Expects != want || r.Lost != lost {
			t.Errorf("%s: the device stands at %+v, lost %t; want %+v", name, r.Expects, r.Lost, want)
		}
	}
}
