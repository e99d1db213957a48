package settings_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/settings"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func service(t *testing.T) (*settings.Service, store.Store) {
	t.Helper()
	st := memory.New()
	if err := st.Update(t.Context(), func(w store.Writer) error {
		return errors.Join(w.CreateWorkspace("w", store.Head{}), w.PutUser("w", &store.User{Name: "ada", Roles: []string{landfall.Administrator}}), w.PutUser("w", &store.User{Name: "emma"}))
	}); err != nil {
		t.Fatal(err)
	}
	return settings.New(settings.Config{Store: st, Clock: func() time.Time { return noon }}), st
}

func audited(t *testing.T, st store.Store) (out []string) {
	t.Helper()
	if err := st.View(t.Context(), func(r store.Reader) error {
		all, err := r.Audit("w", store.AuditFilter{}, store.Page{Limit: 99})
		for _, e := range all {
			out = append(out, e.By+" "+e.Action+" "+e.Object+" "+e.Detail["from"]+" "+e.Detail["to"]+" "+e.Outcome)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(out)
	return out
}

// All that there are have a value by default that is one, and stand by name once.
func TestRegistry(t *testing.T) {
	seen := map[string]bool{}
	for i := range settings.All {
		s := &settings.All[i]
		if v, err := s.Kind.Canonical(s.Default); err != nil || v != s.Default {
			t.Errorf("%s: its default %q is %q, %v", s.Name, s.Default, v, err)
		}
		if seen[s.Name] || s.Does == "" || s.Kind.Is() == "" {
			t.Errorf("%s says too little, or twice", s.Name)
		}
		seen[s.Name] = true
	}
	if _, err := settings.Find("inbox.kep"); landfall.CodeOf(err) != landfall.CodeNotFound {
		t.Errorf("%v", err)
	}
}

func TestSpans(t *testing.T) {
	s := settings.Span{Least: time.Hour, Most: 100 * 24 * time.Hour, Forever: true}
	for value, want := range map[string]string{
		"8d": "8d", "36h": "36h", "48h": "2d", "1h": "1h", "100d": "100d", "forever": "forever", "007d": "7d",
		"": "", "d": "", "8": "", "0d": "", "101d": "", "-1d": "", "1.5d": "", "8 d": "", "99999999999999d": "", "2147483647d": "", "soon": "", "+3d": "",
	} {
		got, err := s.Canonical(value)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v; want %q", value, got, err, want)
		}
	}
	if _, err := (settings.Span{Least: 1, Most: time.Hour}).Canonical("forever"); err == nil {
		t.Error("forever, where there is an end")
	}
}

// Administrators set and reset, which the audit tells once; what is as it was is
// not told, and who may not is refused.
func TestSettings(t *testing.T) {
	s, st := service(t)
	ada, emma := landfall.Actor{User: "ada"}, landfall.Actor{User: "emma", Roles: []string{landfall.Administrator}} // as of before
	for _, value := range []string{"8d", "192h", "forever", "soon"} {
		_, err := s.Set(t.Context(), "w", ada, settings.InboxKeep, value)
		if (err != nil) != (value == "soon") {
			t.Errorf("%s: %v", value, err)
		}
	}
	for range 2 {
		if _, err := s.Set(t.Context(), "w", emma, settings.InboxKeep, "9d"); landfall.CodeOf(err) != landfall.CodeForbidden {
			t.Errorf("%v", err)
		}
	}
	all, err := s.Settings(t.Context(), "w", ada)
	if err != nil || len(all) != len(settings.All) || all[0].Value != settings.Forever || all[0].By != "ada" || !all[0].At.Equal(noon) {
		t.Errorf("%+v %v", all, err)
	}
	if all, err = s.Settings(t.Context(), "w", emma); err != nil || len(all) == 0 || all[0].By != "" {
		t.Errorf("others see %+v %v", all, err)
	}
	for range 2 {
		v, err := s.Reset(t.Context(), "w", ada, settings.InboxKeep)
		if err != nil || v.Value != "90d" || v.By != "" {
			t.Errorf("%+v %v", v, err)
		}
	}
	want := []string{"ada setting.set inbox.keep 90d 8d done", "ada setting.set inbox.keep 8d forever done", "emma setting.set    refused", "ada setting.reset inbox.keep forever 90d done"}
	if got := audited(t, st); !slices.Equal(got, want) {
		t.Errorf("the audit has\n%q\nwant\n%q", got, want)
	}
}

// What is read is what was set, or the default, also when what was set once is no
// value any more.
func TestLength(t *testing.T) {
	_, st := service(t)
	for value, want := range map[string]time.Duration{"": 90 * 24 * time.Hour, "8d": 8 * 24 * time.Hour, "5h": 5 * time.Hour, "forever": 0, "no value": 90 * 24 * time.Hour} {
		if err := st.Update(t.Context(), func(w store.Writer) error {
			if value != "" {
				if err := w.SetSetting("w", store.SettingRow{Name: settings.InboxKeep, Value: value}); err != nil {
					return err
				}
			}
			d, ends, err := settings.Length(w, "w", settings.InboxKeep)
			if d != want || ends != (want != 0) {
				t.Errorf("%q: %v %t", value, d, ends)
			}
			return errors.Join(err, w.DeleteSetting("w", settings.InboxKeep))
		}); err != nil {
			t.Fatal(err)
		}
	}
}
