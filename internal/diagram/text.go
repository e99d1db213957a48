package diagram

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Titles come from whoever wrote the definition. clean makes one line of text
// of them: no control characters (XML forbids most), nothing that turns the
// direction of the text around it, and no towers of combining marks.
func clean(s string) string {
	var b strings.Builder
	space, marks := false, 0
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = b.Len() > 0
			continue
		case r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF || invisible(r):
			continue
		}
		if marks++; !unicode.Is(unicode.M, r) {
			marks = 0
		}
		if marks > 4 {
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// invisible characters change the text around them, or show nothing. Those that
// join letters and emoji are needed.
func invisible(r rune) bool {
	const nonJoiner, joiner = 0x200C, 0x200D
	return r != joiner && r != nonJoiner && unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point)
}

// said is the title, or the name where nothing of the title can be shown.
func said(title, name string) string {
	if s := clean(title); strings.Trim(s, "\u200c\u200d") != "" {
		return s
	}
	return name
}

// A font is how wide text is: its size in pixels times the width of its face, in
// percent. Nobody knows which fonts will draw a picture, so widths are those of
// DejaVu Sans, the widest of those that usually do.
type font int

const (
	plain font = 100
	bold  font = 113

	headFont  = 20 * bold
	cardFont  = 13 * bold
	nameFont  = 14 * bold // of statuses and types
	verbFont  = 13 * bold // of transitions
	noteFont  = 11 * plain
	fieldFont = 12 * bold // required ones are
)

// px is the width of a text in pixels, rounded up.
func px(s string, f font) int {
	n := 0
	for _, r := range s {
		n += advance(r)
	}
	return (n*int(f) + 99_999) / 100_000
}

// advance is the width of one character in thousandths of the font's size.
func advance(r rune) int {
	switch {
	case strings.ContainsRune(" ijlI'|!.,:;`", r):
		return 330
	case strings.ContainsRune("ftr()[]{}-/\\\"·", r):
		return 430
	case strings.ContainsRune("mwMW@%…→", r):
		return 1000
	case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
		return 640
	case r >= 'A' && r <= 'Z':
		return 790
	case r < 0x80:
		return 840
	case unicode.In(r, unicode.Mn, unicode.Me) || r == 0x200D || r == 0x200C:
		return 0
	case r < 0x250 && unicode.IsLower(r):
		return 680
	case r < 0x590 && unicode.IsLetter(r):
		return 900
	case r < 0x2000 && unicode.IsLetter(r):
		return 1000
	}
	return 1300 // ideographs, emoji, symbols
}

// fit shortens a text to a width in pixels.
func fit(s string, f font, limit int) string {
	if px(s, f) <= limit {
		return s
	}
	room, used, end := limit*100_000-advance('…')*int(f), 0, 0
	for i, r := range s {
		used += advance(r) * int(f)
		if used > room {
			break
		}
		end = i + utf8.RuneLen(r)
	}
	return strings.TrimRight(s[:end], " ") + "…"
}

// wrap breaks a text into lines of a width; what does not fit into them is cut.
func wrap(s string, f font, limit, lines int) []string {
	var out []string
	words := strings.Fields(s)
	for len(words) > 0 {
		if len(out) == lines-1 {
			return append(out, fit(strings.Join(words, " "), f, limit))
		}
		n := 1
		for n < len(words) && px(strings.Join(words[:n+1], " "), f) <= limit {
			n++
		}
		out = append(out, fit(strings.Join(words[:n], " "), f, limit))
		words = words[n:]
	}
	return out
}

// widest is the width of the widest line.
func widest(lines []string, f font) int {
	w := 0
	for _, l := range lines {
		w = max(w, px(l, f))
	}
	return w
}

var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")

// escape makes text of XML, in content and in attributes.
func escape(s string) string { return xmlEscapes.Replace(s) }

// list joins words as a sentence does.
func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}
