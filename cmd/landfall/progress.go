package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/landfall-sync/landfall/client"
)

// bar shows how far something long is, on a terminal; elsewhere it is silent.
type bar struct {
	out   io.Writer
	what  string
	began time.Time
	shown bool
}

func (s *session) bar(what string) *bar {
	b := &bar{what: what, began: time.Now()}
	if s.interactive() {
		b.out = s.err
	}
	return b
}

// interactive: a person looks at a terminal.
func (s *session) interactive() bool {
	f, ok := s.err.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && !s.opts.JSON && !s.opts.Quiet
}

func (b *bar) bytes(done, total int64) {
	if b.out == nil || total <= 0 {
		return
	}
	b.shown = true
	fmt.Fprintf(b.out, "\r%s: %d %% of %s, %s ", b.what, 100*done/total, megabytes(total), time.Since(b.began).Round(time.Second))
}

// count is how many of how many are done.
func (b *bar) count(done, total int) {
	if b.out == nil || total <= 0 {
		return
	}
	b.shown = true
	fmt.Fprintf(b.out, "\r%s: %d of %d, %s ", b.what, done, max(done, total), time.Since(b.began).Round(time.Second))
}

// end clears the line for what follows.
func (b *bar) end() {
	if b.shown {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}

// progress shows how far a sync is, on a terminal.
func (s *session) progress() func(client.Progress) {
	if !s.interactive() {
		return nil
	}
	return func(p client.Progress) { fmt.Fprintf(s.err, "\rsyncing: sent %d, received %d ", p.Sent, p.Received) }
}
