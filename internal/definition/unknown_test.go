package definition

import (
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall"
)

// Whoever names something that is not there is told what was probably meant, or
// what there is, and never more of it than one can read.
func TestUnknownSaysWhatIsKnown(t *testing.T) {
	var many []string
	for i := range 25 {
		many = append(many, fmt.Sprintf("place-%02d", i))
	}
	for _, tc := range []struct {
		name  string
		known []string
		hint  string
	}{
		{"vist", []string{"order", "visit"}, `did you mean "visit"?`},
		{"zzz", []string{"order", "visit"}, "there are: order, visit"},
		{"zzz", nil, "there is none"},
		{"zzz", many[:2], "there are: place-00, place-01"},
		{"zzz", many, "there are: place-00, place-01, place-02, place-03, place-04, place-05, place-06, place-07, place-08, place-09, place-10, place-11, place-12, place-13, place-14, place-15, place-16, place-17, place-18, place-19, and 5 more"},
		{"100%", []string{"50%d"}, "there are: 50%d"},
	} {
		e := Unknown(landfall.CodeInvalid, "type", tc.name, tc.known)
		if e.Code != landfall.CodeInvalid || e.Message != fmt.Sprintf("there is no type %q", tc.name) || e.Hint != tc.hint {
			t.Errorf("%q of %v: %s, %q, hint %q", tc.name, tc.known, e.Code, e.Message, e.Hint)
		}
	}
}
