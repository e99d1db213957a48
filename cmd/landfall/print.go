package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

// listFlags narrow and page a list.
type listFlags struct {
	State  string `help:"In this state." placeholder:"STATE"`
	Kind   string `help:"Of this kind." placeholder:"KIND"`
	Queue  string `help:"In this queue." placeholder:"QUEUE"`
	User   string `help:"By this user." placeholder:"NAME"`
	Device string `help:"From this device." placeholder:"ID"`
	Type   string `help:"About records of this type." placeholder:"TYPE"`
	Record string `help:"About this record." placeholder:"REF"`
	Since  string `help:"Received since: a time, or a duration back such as 24h." placeholder:"WHEN"`
	pageFlags
}

type pageFlags struct {
	Limit int    `help:"At most so many." default:"50"`
	After string `help:"Go on after this, as the last page said." placeholder:"CURSOR"`
}

func (f *listFlags) filter() desk.Filter {
	return desk.Filter{State: f.State, Kind: f.Kind, Queue: f.Queue, User: f.User, Device: f.Device, Type: f.Type, Record: f.Record, Since: f.Since, Limit: f.Limit, After: f.After}
}

// json prints v as JSON.
func (s *session) json(v any) error {
	enc := json.NewEncoder(s.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// show prints v as JSON, its id alone, or what text prints.
func (s *session) show(v any, id string, text func()) error {
	switch {
	case s.opts.JSON:
		return s.json(v)
	case s.opts.Quiet:
		fmt.Fprintln(s.out, id)
	default:
		text()
	}
	return nil
}

// page prints a page of a list: as JSON, ids alone, or as a table.
func page[T any](s *session, l *wire.List[T], id func(*T) string, empty string, head []string, row func(*T) []string) error {
	if s.opts.JSON {
		return s.json(l)
	}
	if s.opts.Quiet {
		for i := range l.Items {
			fmt.Fprintln(s.out, id(&l.Items[i]))
		}
		return nil
	}
	if len(l.Items) == 0 {
		fmt.Fprintln(s.out, empty)
		return nil
	}
	rows := make([][]string, len(l.Items))
	for i := range l.Items {
		rows[i] = row(&l.Items[i])
	}
	if err := s.table(head, rows); err != nil {
		return err
	}
	if l.Next != "" {
		fmt.Fprintf(s.out, "There is more: --after %s\n", l.Next)
	}
	return nil
}

// table prints columns under their heads. The last one may be as long as it is.
func (s *session) table(head []string, rows [][]string) error {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(head, "\t"))
	for _, r := range rows {
		for i := range r[:len(r)-1] {
			r[i] = short(r[i], 60)
		}
		r[len(r)-1] = strings.Join(strings.Fields(r[len(r)-1]), " ")
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		fmt.Fprintln(s.out, strings.TrimRight(line, " \n"))
	}
	return nil
}

// said is what a message says and what to do about it, as sentences.
func said(m *landfall.Message) string {
	text := m.Text
	if text != "" && !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return strings.TrimSpace(text + " " + m.Hint)
}

// short cuts a text to a line of at most n characters.
func short(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// plain is a value as people read it.
func plain(v landfall.Value) string {
	if landfall.IsNull(v) {
		return ""
	}
	var text string
	if json.Unmarshal(v, &text) == nil {
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return when(at)
		}
		return text
	}
	var many []string
	if json.Unmarshal(v, &many) == nil {
		return strings.Join(many, ", ")
	}
	return string(v)
}

// when is a time of today by the clock, another by its day.
func when(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	at = at.Local()
	if at.Format(time.DateOnly) == time.Now().Format(time.DateOnly) {
		return at.Format("15:04")
	}
	return at.Format("2006-01-02 15:04")
}

func words(k landfall.Kind) string { return strings.ReplaceAll(string(k), "-", " ") }

// capital writes a user's name as people do where there is no title.
func capital(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// abbreviate is enough of an id to tell it from others nearby.
func abbreviate(id string) string {
	if len(id) == 36 {
		return id[:18]
	}
	return id
}

// password reads a password from standard input, or asks for it on a terminal.
func (s *session) password(fromStdin bool, prompt string) (string, error) {
	if fromStdin {
		line, err := bufio.NewReader(io.LimitReader(s.in, 4096)).ReadString('\n')
		if err != nil && err != io.EOF {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	if f, ok := s.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(s.err, prompt)
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(s.err)
		return string(b), err
	}
	return "", landfall.Errorf(landfall.CodeInvalid, "a password is needed").WithHint("add --password-stdin and give it on standard input")
}

// assignments reads field=value pairs by the definition.
func assignments(t *definition.Type, pairs []string) (landfall.Fields, error) {
	set := landfall.Fields{}
	for _, p := range pairs {
		name, value, ok := strings.Cut(p, "=")
		if !ok {
			return nil, landfall.Errorf(landfall.CodeInvalid, "%q is not FIELD=VALUE", p).WithHint("for example amount=120; FIELD= clears it")
		}
		f := t.Fields[name]
		if f == nil {
			return nil, definition.Unknown(landfall.CodeInvalid, "field of "+t.Title, name, t.Order)
		}
		v, msg := definition.FromText(f, value)
		if msg != nil {
			return nil, &landfall.Error{Code: landfall.CodeInvalid, Message: msg.Text, Hint: msg.Hint, Messages: []landfall.Message{*msg}}
		}
		set[name] = v
	}
	return set, nil
}
