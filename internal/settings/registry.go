// Package settings says which settings a workspace has, and reads and changes
// them. A setting is text; its kind says what text is one.
package settings

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
)

// Kind reads values of one form.
type Kind interface {
	// Canonical is the value as it is kept, or why it is none.
	Canonical(value string) (string, error)
	// Is says in words what a value looks like.
	Is() string
}

// Setting is one that a workspace can have.
type Setting struct {
	Name    string
	Kind    Kind
	Default string // canonical
	Does    string // what it is for, in a sentence
	Public  bool   // whoever is signed in, and every device, may read it
}

// InboxKeep is how long completed items keep what was sent.
const InboxKeep = "inbox.keep"

// RetryUnaided is whether the server tries issues again by itself when their cause
// may be gone.
const RetryUnaided = "retry.unaided"

// All are the settings that there are, by name. A new one is a line here.
var All = []Setting{
	{InboxKeep, Span{Least: time.Hour, Most: 36500 * day, Forever: true}, "90d", "How long the inbox keeps the parameters and the log of an item after it was completed.", true},
	{RetryUnaided, Switch{}, on, "Whether the server tries sync issues again by itself: when a right was granted, a definition published or a record changed, and from time to time.", false},
}

// Find is the setting of a name; one that is not known is CodeNotFound.
func Find(name string) (*Setting, error) {
	names := make([]string, len(All))
	for i := range All {
		if names[i] = All[i].Name; names[i] == name {
			return &All[i], nil
		}
	}
	return nil, definition.Unknown(landfall.CodeNotFound, "setting", name, names)
}

const day = 24 * time.Hour

// Forever is the span without an end.
const Forever = "forever"

// Span is a kind: a length of time in days or hours, or, where it may be, forever.
type Span struct {
	Least, Most time.Duration
	Forever     bool
}

// Is implements Kind.
func (s Span) Is() string {
	text := fmt.Sprintf("days or hours such as 90d or 36h, from %s to %s", written(s.Least), written(s.Most))
	if s.Forever {
		text += "; or forever"
	}
	return text
}

// Canonical implements Kind.
func (s Span) Canonical(value string) (string, error) {
	if s.Forever && value == Forever {
		return value, nil
	}
	d, ok := read(value)
	if !ok || d < s.Least || d > s.Most {
		return "", landfall.Errorf(landfall.CodeInvalid, "this is not a length of time that can be set").WithHint("write %s", s.Is())
	}
	return written(d), nil
}

func written(d time.Duration) string {
	if d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
}

func read(value string) (time.Duration, bool) {
	for unit, of := range map[string]time.Duration{"d": day, "h": time.Hour} {
		if text, found := strings.CutSuffix(value, unit); found {
			n, err := strconv.ParseUint(text, 10, 31)
			return time.Duration(n) * of, err == nil && n <= uint64(1<<62/of)
		}
	}
	return 0, false
}

// Switch is a kind: on or off.
type Switch struct{}

const on, off = "on", "off"

// Is implements Kind.
func (Switch) Is() string { return "on or off" }

// Canonical implements Kind.
func (s Switch) Canonical(value string) (string, error) {
	if value != on && value != off {
		return "", landfall.Errorf(landfall.CodeInvalid, "this is neither on nor off").WithHint("write %s", s.Is())
	}
	return value, nil
}

// On is whether a Switch is on now.
func On(r store.Settings, ws, name string) (bool, error) {
	v, err := Value(r, ws, name)
	return v == on, err
}

// Value is what a setting is now: what was set, or its default. What was set once
// and is no value any more, since its bounds changed, is the default, too.
func Value(r store.Settings, ws, name string) (string, error) {
	s, err := Find(name)
	if err != nil {
		return "", err
	}
	row, err := r.Setting(ws, name)
	if err != nil {
		return "", err
	}
	return s.now(row), nil
}

func (s *Setting) now(row *store.SettingRow) string {
	if row != nil {
		if v, err := s.Kind.Canonical(row.Value); err == nil {
			return v
		}
	}
	return s.Default
}

// Length is a Span as it is set now; false for forever.
func Length(r store.Settings, ws, name string) (d time.Duration, ends bool, err error) {
	v, err := Value(r, ws, name)
	if err != nil || v == Forever {
		return 0, false, err
	}
	d, ends = read(v)
	return d, ends, nil
}
