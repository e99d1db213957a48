package definition

import (
	"fmt"
	"strings"

	"github.com/landfall-sync/landfall"
)

// Unknown says that there is no such thing. Its hint is the name that was probably
// meant, or what there is: give it only names that the caller may see.
func Unknown(code landfall.Code, what, name string, known []string) *landfall.Error {
	return landfall.Errorf(code, "there is no %s %q", what, name).WithHint("%s", suggest(name, known))
}

// suggest is the nearest of the known names, or the first of them.
func suggest(name string, known []string) string {
	const most = 20
	near := Nearest(name, known)
	switch {
	case near != "":
		return fmt.Sprintf("did you mean %q?", near)
	case len(known) == 0:
		return "there is none"
	case len(known) > most:
		return fmt.Sprintf("there are: %s, and %d more", strings.Join(known[:most], ", "), len(known)-most)
	}
	return "there are: " + strings.Join(known, ", ")
}
