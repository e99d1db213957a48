package changelog

import (
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCheckpointRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 20, 60)
		p := position{
			epoch: text.Draw(t, "epoch"), seq: rapid.Int64Range(0, 1<<40).Draw(t, "seq"), mark: text.Draw(t, "mark"), seen: text.Draw(t, "seen"),
		}
		p.head = p.seq + rapid.Int64Range(0, 1<<40).Draw(t, "ahead")
		p.start = rapid.Int64Range(0, p.head).Draw(t, "start")
		switch rapid.IntRange(0, 2).Draw(t, "part") {
		case 1:
			p.part = &within{backfill, cursor{rapid.Int64Range(0, p.seq+1).Draw(t, "at"), text.Draw(t, "id")}}
		case 2:
			p.part = &within{entries, cursor{p.seq + 1, text.Draw(t, "id")}}
		}
		if p.head > p.seq && rapid.Bool().Draw(t, "losing") {
			done := rapid.Int64Range(p.seq, p.head-1).Draw(t, "done")
			p.lost = &losing{done, rapid.Int64Range(done+1, p.head).Draw(t, "upto"), cursor{rapid.Int64Range(0, 1<<40).Draw(t, "at"), text.Draw(t, "id")}}
		}
		got, err := decode(p.encode())
		if err != nil || !reflect.DeepEqual(*got, p) {
			t.Fatalf("%+v became %+v, %v", p, got, err)
		}
	})
}

func TestCheckpointIsStrict(t *testing.T) {
	good := position{epoch: "e1", seq: 7, mark: "m", start: 3, head: 9, seen: "n"}
	token := good.encode()
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	with := func(f func(*position)) string { p := good; f(&p); return p.encode() }
	for name, bad := range map[string]string{
		"not base64":               "***",
		"padded":                   token + "=",
		"cut":                      base64.RawURLEncoding.EncodeToString(raw[:len(raw)-3]),
		"something behind":         base64.RawURLEncoding.EncodeToString(append(raw, 0)),
		"too long":                 strings.Repeat("A", maxToken+4),
		"text too long":            with(func(p *position) { p.epoch = strings.Repeat("e", maxText+1) }),
		"seq over head":            with(func(p *position) { p.seq = 10 }),
		"start over head":          with(func(p *position) { p.start = 10 }),
		"unknown phase":            with(func(p *position) { p.part = &within{3, cursor{8, "x"}} }),
		"part of another place":    with(func(p *position) { p.part = &within{entries, cursor{9, "x"}} }),
		"losses beyond the head":   with(func(p *position) { p.lost = &losing{8, 10, cursor{1, "x"}} }),
		"losses before the places": with(func(p *position) { p.lost = &losing{6, 8, cursor{1, "x"}} }),
	} {
		if _, err := decode(bad); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	raw[0] = format + 1
	if _, err := decode(base64.RawURLEncoding.EncodeToString(raw)); !errors.Is(err, errFormat) {
		t.Errorf("another format: %v", err)
	}
	if !genuine(good.signed("key"), "key") || genuine(good.signed("key"), "other") || genuine(token, "key") || genuine(token+"."+signature(token, ""), "") {
		t.Error("a signature is not checked")
	}
	if n := Acknowledged(good.signed("key")); n != 7 {
		t.Errorf("acknowledged %d", n)
	}
	if n := Acknowledged("***"); n != 0 {
		t.Errorf("acknowledged %d by nonsense", n)
	}
}
