package core

import (
	"bytes"
	"encoding/json"

	"github.com/landfall-sync/landfall"
)

// quote is the canonical value of a text.
func quote(s string) landfall.Value {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return landfall.Null // a string always encodes
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// listOf is the canonical value of a sorted set of texts; null when it is empty.
func listOf(members []string) landfall.Value {
	if len(members) == 0 {
		return landfall.Null
	}
	out := []byte{'['}
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, quote(m)...)
	}
	return append(out, ']')
}

// orNull is v, or null where v is unset.
func orNull(v landfall.Value) landfall.Value {
	if landfall.IsNull(v) {
		return landfall.Null
	}
	return v
}

// texts are the texts in a value: of a list its members, of a text itself.
func texts(v landfall.Value) []string {
	if landfall.IsNull(v) {
		return nil
	}
	if v[0] != '[' {
		if s := text(v); s != "" {
			return []string{s}
		}
		return nil
	}
	var list []string
	if json.Unmarshal(v, &list) != nil {
		return nil
	}
	return list
}

// orNothing is v, or nothing where v is unset.
func orNothing(v landfall.Value) landfall.Value {
	if landfall.IsNull(v) {
		return nil
	}
	return v
}
