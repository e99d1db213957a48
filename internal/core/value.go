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
	_ = enc.Encode(s) // a string always encodes
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
