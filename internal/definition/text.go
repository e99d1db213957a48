package definition

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
)

// ToText writes a canonical value as text that FromText reads back to the same
// value; "" for none.
func ToText(f *Field, v landfall.Value) string {
	if landfall.IsNull(v) {
		return ""
	}
	switch f.Type {
	case Integer, Boolean, JSON, Location, Attachment, Attachments, Signature:
		return string(v)
	case ChoiceMany, References:
		var members []string
		if json.Unmarshal(v, &members) != nil {
			return string(v)
		}
		if slices.ContainsFunc(members, needsArray) {
			return string(v)
		}
		return strings.Join(members, ",")
	default:
		var s string
		if json.Unmarshal(v, &s) != nil {
			return string(v)
		}
		return s
	}
}

// needsArray: a list with commas would not give the member back.
func needsArray(member string) bool {
	return member == "" || strings.Contains(member, ",") || strings.HasPrefix(member, "[") || strings.TrimSpace(member) != member
}

// array is a list that is written as JSON.
func array(s string) bool {
	var members []string
	return strings.HasPrefix(s, "[") && json.Unmarshal([]byte(s), &members) == nil
}
