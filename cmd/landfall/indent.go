package main

import (
	"bytes"
	"io"
)

// indent moves what is written to the right.
type indent struct {
	w      io.Writer
	within bool // a line was begun
}

func (i *indent) Write(b []byte) (int, error) {
	var out bytes.Buffer
	for line := range bytes.Lines(b) {
		if !i.within {
			out.WriteString("      ")
		}
		out.Write(line)
		i.within = !bytes.HasSuffix(line, []byte("\n"))
	}
	_, err := i.w.Write(out.Bytes())
	return len(b), err
}
