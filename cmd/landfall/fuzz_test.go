package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/examples"
	"github.com/landfall-sync/landfall/internal/definition"
)

// FuzzAssignments reads anything as FIELD=VALUE: each pair is a canonical value
// of its field, or an error that says what to do.
func FuzzAssignments(f *testing.F) {
	t := definition.MustCompile("app.yaml", examples.Expenses).Types["expense"]
	for _, s := range []string{"amount=120", "amount=", "purpose=a=b", "=", "amount", "amuont=1", "amount=1\namount=2", "receipts=x,,y", "purpose=\xff\x00", "amount=1e99999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(tt *testing.T, words string) {
		pairs := strings.Split(words, "\n")
		set, err := assignments(t, pairs)
		if err != nil {
			if e := (*landfall.Error)(nil); !errors.As(err, &e) || e.Code != landfall.CodeInvalid || e.Message == "" {
				tt.Errorf("%v", err)
			}
			return
		}
		for name, v := range set {
			if c, msg := t.Fields[name].Canonical(v); msg != nil || string(c) != string(v) {
				tt.Errorf("%s: %s is not canonical: %s %v", name, v, c, msg)
			}
		}
	})
}
