package diagram

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// picture is an SVG as a reader of XML sees it.
type picture struct {
	size     rect
	boxes    []shape // statuses, labels and types, in absolute places
	frames   []shape
	texts    []line
	paths    []stroke
	statuses []string    // card and name
	moves    [][4]string // card, transition, from (several), to
}

type shape struct {
	rect
	card  int
	group int
}

type line struct {
	left, right, y int
	text           string
	card, group    int
}

type stroke struct {
	points [][2]int
	card   int
}

// scan is the state while a picture is read.
type scan struct {
	p           *picture
	card, group int
	open        []string
	pending     *line
	font        font
	anchor      string
}

func readPicture(svg []byte) (*picture, error) {
	s := &scan{p: &picture{}, card: -1, group: -1}
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return s.p, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := s.start(t); err != nil {
				return nil, err
			}
			s.open = append(s.open, t.Name.Local)
		case xml.CharData:
			if s.pending != nil {
				s.pending.text += string(t)
			}
		case xml.EndElement:
			s.open = s.open[:len(s.open)-1]
			if t.Name.Local == "text" {
				s.endText()
			}
		case xml.Comment, xml.Directive, xml.ProcInst:
			return nil, fmt.Errorf("a picture holds elements alone, not %v", t)
		}
	}
}

func (s *scan) start(t xml.StartElement) error {
	at := map[string]string{}
	for _, a := range t.Attr {
		if strings.HasPrefix(a.Name.Local, "on") || strings.HasSuffix(a.Name.Local, "href") || a.Name.Local == "style" {
			return fmt.Errorf("the attribute %s", a.Name.Local)
		}
		at[a.Name.Local] = a.Value
	}
	n := func(name string) int {
		v, err := strconv.Atoi(at[name])
		if err != nil {
			panic(err)
		}
		return v
	}
	class, _, _ := strings.Cut(at["class"], " ")
	switch t.Name.Local {
	case "svg":
		s.p.size = rect{0, 0, n("width"), n("height")}
		if at["viewBox"] != fmt.Sprintf("0 0 %d %d", n("width"), n("height")) {
			return fmt.Errorf("viewBox %s", at["viewBox"])
		}
	case "g":
		s.startGroup(class, at)
	case "rect":
		r := shape{rect{n("x"), n("y"), n("width"), n("height")}, s.card, s.group}
		switch class {
		case "lf-box", "lf-label":
			s.p.boxes = append(s.p.boxes, r)
		case "lf-frame":
			s.p.frames = append(s.p.frames, r)
		}
	case "text":
		s.pending = &line{left: n("x"), y: n("y"), card: s.card, group: s.group}
		s.font, s.anchor = fonts[class], at["class"]
		if s.font == 0 {
			return fmt.Errorf("text of the class %s", class)
		}
	case "path":
		if class == "lf-line" {
			s.p.paths = append(s.p.paths, stroke{points(at["d"]), s.card})
		}
	case "title", "desc", "style", "circle":
	default:
		return fmt.Errorf("the element %s", t.Name.Local)
	}
	return nil
}

var fonts = map[string]font{"lf-title": headFont, "lf-head-line": cardFont, "lf-name": nameFont, "lf-verb": verbFont, "lf-note": noteFont, "lf-kind": noteFont, "lf-field": fieldFont}

func (s *scan) startGroup(class string, at map[string]string) {
	s.group++
	switch class {
	case "lf-card":
		s.card++
	case "lf-status":
		s.p.statuses = append(s.p.statuses, fmt.Sprint(s.card, " ", at["data-status"]))
	case "lf-move":
		s.p.moves = append(s.p.moves, [4]string{strconv.Itoa(s.card), at["data-transition"], at["data-from"], at["data-to"]})
	}
}

func (s *scan) endText() {
	l := s.pending
	w := px(l.text, s.font)
	switch {
	case strings.HasSuffix(s.anchor, "lf-middle"):
		l.left -= (w + 1) / 2
	case strings.HasSuffix(s.anchor, "lf-end"):
		l.left -= w
	}
	l.right = l.left + w
	s.p.texts = append(s.p.texts, *l)
	s.pending = nil
}

// points are places along a path, close enough to find every box that it crosses.
func points(d string) [][2]int {
	var out [][2]int
	var x, y int
	fields := strings.Fields(strings.NewReplacer("M", " M ", "L", " L ", "C", " C ", "Z", " Z ").Replace(d))
	for i := 0; i < len(fields); {
		var n []int
		command := fields[i]
		for i++; i < len(fields); i++ {
			v, err := strconv.Atoi(fields[i])
			if err != nil {
				break
			}
			n = append(n, v)
		}
		switch command {
		case "M":
			x, y = n[0], n[1]
			continue
		case "L":
			n = []int{x, y, n[0], n[1], n[0], n[1]}
		}
		const steps = 64
		for t := 0; t <= steps; t++ {
			u := steps - t
			bezier := func(a, b, c, d int) int {
				return (a*u*u*u + 3*b*u*u*t + 3*c*u*t*t + d*t*t*t) / (steps * steps * steps)
			}
			out = append(out, [2]int{bezier(x, n[0], n[2], n[4]), bezier(y, n[1], n[3], n[5])})
		}
		x, y = n[4], n[5]
	}
	return out
}
