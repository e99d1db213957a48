package client_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/internal/wire"
)

// related is a device under the definition of the vectors, with records of the
// server.
func related(t *testing.T, records ...*landfall.Record) (*client.Client, *fake) {
	t.Helper()
	src, err := os.ReadFile("../testdata/vectors/definitions/related.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{push: applied, source: string(src), version: 3}
	pulled := false
	f.pull = func(string) (*wire.PullReply, error) {
		r := &wire.PullReply{Checkpoint: "c", Seq: 7, Definition: f.version}
		for _, rec := range records {
			if !pulled {
				r.Changes = append(r.Changes, wire.Pulled{Type: rec.Type, ID: rec.ID, Record: rec})
			}
		}
		pulled = true
		return r, nil
	}
	c := newClient(t, f)
	sync(t, c)
	return c, f
}

const (
	site  = "0198c3ac-0000-7000-8000-000000000001"
	order = "0198c3ac-0000-7000-8000-000000000002"
	job   = "0198c3ac-0000-7000-8000-000000000003"
)

func value(s string) landfall.Value { return landfall.Value(`"` + s + `"`) }

func stocked() []*landfall.Record {
	return []*landfall.Record{
		{Type: "site", ID: site, Version: 2, Fields: landfall.Fields{"name": value("dock"), "phone": value("12")}},
		{Type: "order", ID: order, Version: 5, Status: "planned", Fields: landfall.Fields{"site": value(site), "open": landfall.Value("1")}},
		{Type: "task", ID: job, Version: 6, Fields: landfall.Fields{"order": value(order), "title": value("t")}},
	}
}

// Parts go with a whole that is deleted here, before the server has heard of it;
// and the deletion says what of them was seen.
func TestPartsGoWithTheirWhole(t *testing.T) {
	c, f := related(t, stocked()...)
	if err := c.Delete(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	if left, err := c.List(t.Context(), "task"); err != nil || len(left) != 0 {
		t.Errorf("%v %v", left, err)
	}
	if _, err := c.Get(t.Context(), job); landfall.CodeOf(err) != landfall.CodeNotFound {
		t.Errorf("%v", err)
	}
	sync(t, c)
	if sent := string(f.pushes[0].Mutations[0]); !strings.Contains(sent, `"seen":7`) {
		t.Error(sent)
	}
}

// What is chosen fills in what it has, as it is shown here: with what is pending.
func TestFilledInHere(t *testing.T) {
	c, _ := related(t, stocked()...)
	if err := c.Update(t.Context(), site, landfall.Fields{"phone": value("13")}); err != nil {
		t.Fatal(err)
	}
	id, err := c.Create(t.Context(), "order", landfall.Fields{"site": value(site)})
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.Get(t.Context(), id)
	if err != nil || string(v.Record.Fields["phone"]) != `"13"` {
		t.Errorf("%+v %v", v, err)
	}
	if err := c.Update(t.Context(), site, landfall.Fields{"name": value("closed")}); err != nil {
		t.Fatal(err)
	}
	_, err = c.Create(t.Context(), "order", landfall.Fields{"site": value(site)})
	if e := (*landfall.Error)(nil); !errors.As(err, &e) || len(e.Messages) != 1 || e.Messages[0].Code != "where" {
		t.Errorf("%v", err)
	}
}

// What is pending is shown under the names of the definition that came meanwhile.
func TestPendingUnderNewNames(t *testing.T) {
	c, f := related(t, stocked()...)
	if err := c.Update(t.Context(), order, landfall.Fields{"phone": value("14")}); err != nil {
		t.Fatal(err)
	}
	if err := c.Move(t.Context(), order, "close", nil); err != nil {
		t.Fatal(err)
	}
	f.source, f.version = strings.NewReplacer("version: 3", "version: 4", "phone: {type: text}\n      urgent", "mobile: {type: text}\n      urgent", "{phone: target", "{mobile: target", "planned", "begun", "close:", "finish:",
		"- {to: 2, type: order, rename: {telephone: phone}, statuses: {new: planned}, transitions: {finish: close}}", "- {to: 4, type: order, rename: {phone: mobile}, statuses: {planned: begun}, transitions: {close: finish}}").Replace(f.source), 4
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := c.Get(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	if string(v.Record.Fields["mobile"]) != `"14"` || v.Record.Fields["phone"] != nil || v.Record.Status != "closed" {
		t.Errorf("%+v", v.Record)
	}
}
