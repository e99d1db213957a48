package definition

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

var language = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// speaks reads the languages that titles and messages are written in.
func (r *reader) speaks(a *App, e entry) {
	for _, n := range r.names(e) {
		if !language.MatchString(n.text) {
			r.errorf(n.at, "languages: [en, de]", "%q is no language tag", n.text)
			continue
		}
		a.Languages = append(a.Languages, n.text)
	}
	if e.value != nil && len(a.Languages) == 0 {
		r.errorf(e.value, "languages: [en, de]", "no language is named")
	}
	r.languages = a.Languages
}

// title reads what people see: one text for all languages, or one for each. The
// first language's is the one that is kept; clients have the others in the source.
func (r *reader) title(e entry, limit int) string {
	if e.value == nil || e.value.Kind != yaml.MappingNode {
		return r.text(e, limit)
	}
	if len(r.languages) == 0 {
		r.errorf(e.value, "write languages: [en, de] at the top, or one text", "%s is written in languages, but none is declared", e.key)
		return ""
	}
	texts := map[string]string{}
	for _, x := range r.entries(e.value, e.key) {
		if !slices.Contains(r.languages, x.key) {
			r.unknown(x.at, "language", x.key, r.languages)
			continue
		}
		texts[x.key] = r.text(x, limit)
	}
	var missing []string
	kept := ""
	for _, l := range r.languages {
		switch {
		case texts[l] == "":
			missing = append(missing, l)
		case kept == "":
			kept = texts[l]
		}
	}
	if len(missing) > 0 {
		r.warnf(e.value, "add "+missing[0]+": …", "%s has no translation into %s", e.key, strings.Join(missing, ", "))
	}
	return kept
}
