package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

var (
	adaHerself  = landfall.Actor{User: "ada", Roles: []string{landfall.Administrator}}
	emmaHerself = landfall.Actor{User: "emma", Roles: []string{"employee"}}
)

// listed are the items that a reader finds, from page to page, by their ids.
func listed(t *testing.T, in *Inbox, who landfall.Actor, f store.ItemFilter, p store.Page) (out []string, pages int) {
	t.Helper()
	for {
		l, err := in.Items(t.Context(), "w", who, f, p)
		if err != nil {
			t.Fatal(err)
		}
		for i := range l.Items {
			out = append(out, l.Items[i].ID)
		}
		pages++
		if (l.Next == "") != l.SearchedTo.IsZero() && l.Next != behindWaiting {
			t.Errorf("it goes on from %q, and came to %v", l.Next, l.SearchedTo)
		}
		if p.After = l.Next; p.After == "" {
			return out, pages
		}
	}
}

func found(t *testing.T, in *Inbox, who landfall.Actor, f store.ItemFilter) string {
	t.Helper()
	out, _ := listed(t, in, who, f, store.Page{Limit: 9})
	return strings.Join(out, " ")
}

// monitored has Emma's expense, one that was refused, and two of Mara's.
func monitored(t *testing.T) *Inbox {
	t.Helper()
	in, st := stocked(t, 2)
	people(t, st, map[string][]string{"ada": {landfall.Administrator}, "mara": {"employee"}})
	if err := st.Update(t.Context(), func(w store.Writer) error {
		rep, err := w.Replica("w", "phone")
		if err != nil {
			return err
		}
		rep.Name = "Emma's phone"
		return errors.Join(w.PutReplica("w", rep), w.PutReplica("w", &store.Replica{ID: "other", User: "mara", Name: "tablet", Incarnation: 1, Next: 3}))
	}); err != nil {
		t.Fatal(err)
	}
	pushed(t, in, 1, "", creation(1, "a taxi to the harbour"), refusedCreation(2))
	return in
}

// Everything can be found by what people call it.
func TestInboxIsSearched(t *testing.T) {
	in := monitored(t)
	all := "phone.1.2 phone.1.1 other.1.2 other.1.1"
	for name, c := range map[string]struct {
		who  landfall.Actor
		f    store.ItemFilter
		want string
	}{
		"all":                          {adaHerself, store.ItemFilter{}, all},
		"one's own":                    {emmaHerself, store.ItemFilter{}, "phone.1.2 phone.1.1"},
		"somebody else's":              {emmaHerself, store.ItemFilter{User: "mara"}, ""},
		"failures of one":              {adaHerself, store.ItemFilter{User: "emma", State: store.WithErrors}, "phone.1.2"},
		"kind":                         {adaHerself, store.ItemFilter{Kind: landfall.KindValidation}, "phone.1.2"},
		"device by its name":           {adaHerself, store.ItemFilter{Replica: "emma's PHONE"}, "phone.1.2 phone.1.1"},
		"device by its beginning":      {adaHerself, store.ItemFilter{Replica: "phon"}, "phone.1.2 phone.1.1"},
		"type":                         {adaHerself, store.ItemFilter{Type: "expense"}, "phone.1.2 phone.1.1"},
		"op":                           {emmaHerself, store.ItemFilter{Op: landfall.OpCreate}, "phone.1.2 phone.1.1"},
		"record by its number":         {emmaHerself, store.ItemFilter{Record: "exp-1003"}, "phone.1.1"},
		"record that never came to be": {emmaHerself, store.ItemFilter{Record: (sheet + "2")[:35] + "2"}, "phone.1.2"},
		"text of a message":            {adaHerself, store.ItemFilter{Text: "amount IS"}, "phone.1.2"},
		"text of a device":             {adaHerself, store.ItemFilter{Text: "tablet"}, "other.1.2 other.1.1"},
		"text that was sent":           {emmaHerself, store.ItemFilter{Text: "HARBOUR"}, "phone.1.1"},
		"text of a number":             {emmaHerself, store.ItemFilter{Text: "exp-1003"}, "phone.1.1"},
	} {
		if got := found(t, in, c.who, c.f); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	oldest, _ := listed(t, in, adaHerself, store.ItemFilter{}, store.Page{Limit: 3, Oldest: true})
	if got := strings.Join(oldest, " "); got != "other.1.1 other.1.2 phone.1.1 phone.1.2" {
		t.Errorf("oldest first: %s", got)
	}
}

// Names that are none are refused, with the nearest of those that the reader may
// know.
func TestUnknownNamesInTheFilter(t *testing.T) {
	in := monitored(t)
	for name, c := range map[string]struct {
		who  landfall.Actor
		f    store.ItemFilter
		want string
	}{
		"state":             {adaHerself, store.ItemFilter{State: "complete"}, `"completed"`},
		"kind":              {adaHerself, store.ItemFilter{Kind: "validaton"}, `"validation"`},
		"op":                {adaHerself, store.ItemFilter{Op: "updat"}, `"update"`},
		"type":              {adaHerself, store.ItemFilter{Type: "expenses"}, `"expense"`},
		"user":              {adaHerself, store.ItemFilter{User: "ema"}, `"emma"`},
		"device":            {adaHerself, store.ItemFilter{Replica: "tabelt"}, `"tablet"`},
		"another's device":  {emmaHerself, store.ItemFilter{Replica: "tabelt"}, "Emma's phone"},
		"another's, exact":  {emmaHerself, store.ItemFilter{Replica: "other"}, "Emma's phone"},
		"record":            {adaHerself, store.ItemFilter{Record: "EXP-9"}, "number"},
		"ambiguous":         {adaHerself, store.ItemFilter{Record: "0198c3aa-0000-7000-8000-00000000000"}, "more of the id"},
		"a hidden number":   {emmaHerself, store.ItemFilter{Record: "EXP-1001"}, "number"},
		"a hidden record":   {emmaHerself, store.ItemFilter{Record: "0198c3aa-0000-7000-8000-00000000000"[:30]}, "number"},
		"an unknown number": {emmaHerself, store.ItemFilter{Record: "EXP-7777"}, "number"},
	} {
		_, err := in.Items(t.Context(), "w", c.who, c.f, store.Page{Limit: 9})
		e := (*landfall.Error)(nil)
		if !errors.As(err, &e) || !strings.Contains(e.Hint, c.want) {
			t.Errorf("%s: %+v, want a hint with %s", name, err, c.want)
		}
	}
}

// A search tells nothing that the item does not show its reader, and where it
// goes on tells nothing of what others sent.
func TestSearchTellsNoMoreThanItShows(t *testing.T) {
	in := monitored(t)
	if got := found(t, in, adaHerself, store.ItemFilter{Text: "harbour"}); got != "" {
		t.Errorf("bytes that are hidden are found: %s", got)
	}
	if got := found(t, in, adaHerself, store.ItemFilter{Text: "EXP-1003"}); got != "" {
		t.Errorf("the number of a record that is hidden is found: %s", got)
	}
	said := map[string]bool{}
	for _, after := range []string{"other.1.1", "other.1.7", "nobody.1.1"} {
		_, err := in.Items(t.Context(), "w", emmaHerself, store.ItemFilter{}, store.Page{Limit: 1, After: after})
		if landfall.CodeOf(err) != landfall.CodeInvalid {
			t.Errorf("after %s: %v", after, err)
		}
		said[fmt.Sprint(err)] = true
	}
	if len(said) != 1 {
		t.Errorf("what is there is told from what is not: %v", said)
	}
}

// A page is looked for in so many items; what it comes to is of the reader's own.
func TestSearchIsBounded(t *testing.T) {
	in := monitored(t)
	in.looks = 1
	got, pages := listed(t, in, adaHerself, store.ItemFilter{Text: "tablet"}, store.Page{Limit: 9})
	if strings.Join(got, " ") != "other.1.2 other.1.1" || pages != 4 {
		t.Errorf("%v in %d pages", got, pages)
	}
	got, pages = listed(t, in, emmaHerself, store.ItemFilter{Text: "harbour"}, store.Page{Limit: 9})
	if strings.Join(got, " ") != "phone.1.1" || pages != 2 {
		t.Errorf("%v in %d pages", got, pages)
	}
}

// peeking looks around while a transaction is under way.
type peeking struct {
	store.Store
	peek func()
}

func (p *peeking) Update(ctx context.Context, f func(store.Writer) error) error {
	return p.Store.Update(ctx, func(w store.Writer) error {
		p.peek()
		return f(w)
	})
}

// What is captured is queued, then in progress while it is judged, then what
// became of it; and its history says so.
func TestItemsGoThroughTheirStates(t *testing.T) {
	in, st := stocked(t, 0)
	in.cfg.Unclean = true // so that pushes are captured before they are judged
	var states []string
	see := func() {
		l, err := in.Items(t.Context(), "w", emmaHerself, store.ItemFilter{}, store.Page{Limit: 9})
		if err != nil {
			t.Error(err)
		}
		for i := range l.Items {
			if l.Items[i].ID == "phone.1.1" {
				states = append(states, l.Items[i].State)
			}
		}
	}
	in.cfg.Store = &peeking{st, see}
	if _, err := in.Step(t.Context()); err != nil { // there is nothing from before
		t.Fatal(err)
	}
	if _, err := in.Offer(t.Context(), "w", phone, body(t, 1, creation(1, "one"), refusedCreation(2))); err != nil {
		t.Fatal(err)
	}
	if err := in.capture(t.Context(), in.take()); err != nil {
		t.Fatal(err)
	}
	see()
	for _, want := range []string{"phone.1.2 phone.1.1", ""} {
		if got := found(t, in, emmaHerself, store.ItemFilter{State: store.Queued}); got != want {
			t.Errorf("queued: %q, want %q", got, want)
		}
		if _, err := in.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	see()
	if got := strings.Join(states, " "); got != "queued in-progress completed" {
		t.Errorf("it was %s", got)
	}
	for id, want := range map[string]string{"phone.1.1": "queued in-progress completed", "phone.1.2": "queued in-progress completed-with-errors"} {
		it, err := in.Item(t.Context(), "w", emmaHerself, id)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range it.History {
			got = append(got, e.State)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s was %v", id, got)
		}
	}
}

// A page that what waits fills goes on behind it.
func TestWhatWaitsFillsAPage(t *testing.T) {
	in := monitored(t)
	in.cfg.Unclean = true
	if _, err := in.Offer(t.Context(), "w", phone, body(t, 3, creation(3, "three"), creation(4, "four"))); err != nil {
		t.Fatal(err)
	}
	if err := in.capture(t.Context(), in.take()); err != nil {
		t.Fatal(err)
	}
	got, _ := listed(t, in, emmaHerself, store.ItemFilter{}, store.Page{Limit: 2})
	if strings.Join(got, " ") != "phone.1.4 phone.1.3 phone.1.2 phone.1.1" {
		t.Errorf("%v", got)
	}
	got, _ = listed(t, in, emmaHerself, store.ItemFilter{}, store.Page{Limit: 3, Oldest: true})
	if strings.Join(got, " ") != "phone.1.1 phone.1.2 phone.1.4" && strings.Join(got, " ") != "phone.1.1 phone.1.2 phone.1.3" {
		t.Errorf("oldest first: %v", got)
	}
}

// What somebody does at the desk is in the inbox, with who did it; so is every row
// of an import that changed something. What is refused there is answered, and
// stored nowhere.
func TestDeskIsInTheInbox(t *testing.T) {
	in := monitored(t)
	id := "0198c3aa-0000-7000-8000-0000000000aa"
	if _, err := in.Do(t.Context(), "w", emmaHerself, wire.Do{Op: landfall.OpCreate, Type: "expense", ID: id, Set: landfall.Fields{"purpose": landfall.Value(`"desk"`), "amount": landfall.Value(`"1"`), "owner": landfall.Value(`"emma"`)}}); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Do(t.Context(), "w", emmaHerself, wire.Do{Op: landfall.OpUpdate, Type: "expense", ID: id, Set: landfall.Fields{"amount": landfall.Null}}); landfall.CodeOf(err) != landfall.CodeRefused {
		t.Fatalf("%v", err)
	}
	if got := found(t, in, adaHerself, store.ItemFilter{Replica: "desk:emma"}); got != "desk:emma.1.1" {
		t.Errorf("%s", got)
	}
	it, err := in.Item(t.Context(), "w", emmaHerself, "desk:emma.1.1")
	if err != nil || len(it.History) != 1 || it.History[0].By != "emma" {
		t.Errorf("%+v %v", it, err)
	}
}
