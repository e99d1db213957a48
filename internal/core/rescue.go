package core

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/landfall-sync/landfall"
)

// Rescue reads what it can of a mutation that ParseMutation refuses, for
// somebody who repairs it: each member that is there once and has its form. It
// reads more than Salvage, which is for lists that everybody may see.
func Rescue(raw []byte) landfall.Mutation {
	s := Salvage(raw)
	m := landfall.Mutation{Type: s.Type, ID: s.ID, Op: s.Op}
	dec := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return m
	}
	for {
		name, err := dec.ReadToken()
		if err != nil || name.Kind() != '"' {
			return m
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return m
		}
		switch key {
		case "set":
			m.Set = rescueFields(value)
		case "base":
			m.Base = rescued[landfall.Base](value)
			if m.Base != nil && (m.Base.Version < 0 || m.Base.After < 0) {
				m.Base = nil
			}
		case "transition":
			if t := rescued[string](value); t != nil && plainName.MatchString(*t) {
				m.Transition = *t
			}
		case "definition":
			if v := rescued[int64](value); v != nil && *v > 0 {
				m.Definition = *v
			}
		case "made_at":
			var at landfall.Mutation
			if json.Unmarshal([]byte(`{"made_at":`+string(value)+`}`), &at) == nil {
				m.MadeAt = at.MadeAt
			}
		}
	}
}

func rescued[T any](value jsontext.Value) *T {
	v := new(T)
	if json.Unmarshal(value, v) != nil {
		return nil
	}
	return v
}

// rescueFields keeps the fields whose names are names and whose values can be
// read by everybody alike.
func rescueFields(value jsontext.Value) landfall.Fields {
	all := rescued[map[string]jsontext.Value](value)
	if all == nil {
		return nil
	}
	out := landfall.Fields{}
	for name, v := range *all {
		if plainName.MatchString(name) && scan([]byte(`{"v":`+string(v)+`}`), 0) == nil {
			out[name] = landfall.Value(v)
		}
	}
	return out
}
