package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/landfall-sync/landfall"
)

// line is one line of a file with its end.
type line struct {
	number int
	bytes  []byte // nil when it is long
	size   int64
	long   bool
}

// text is the line without its end.
func (l line) text() []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(l.bytes, []byte("\n")), []byte("\r"))
}

func (l line) blank() bool { return len(bytes.TrimSpace(l.bytes)) == 0 }

// lines reads a file line by line. Lines can be put back.
type lines struct {
	r    *bufio.Reader
	n    int
	read int64  // bytes of the lines that were given out
	back []line // put back, the next one first
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 64<<10)} }

// begin passes over a byte order mark.
func (s *lines) begin() error {
	head, err := s.r.Peek(3)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return landfall.Errorf(landfall.CodeInvalid, "line 1: the file is written in UTF-16").WithHint("save it as UTF-8")
	case bytes.Equal(head, []byte{0xef, 0xbb, 0xbf}):
		n, err := s.r.Discard(3)
		s.read = int64(n)
		return err
	}
	return nil
}

// next is the next line, or io.EOF. Of a line above MaxRow only the size is told.
func (s *lines) next() (line, error) {
	if len(s.back) > 0 {
		l := s.back[0]
		s.back = s.back[1:]
		s.read += l.size
		return l, nil
	}
	l := line{number: s.n + 1}
	for {
		part, err := s.r.ReadSlice('\n')
		l.size += int64(len(part))
		switch {
		case l.long:
		case len(l.bytes)+len(part) > MaxRow+2: // with the line's end
			l.long, l.bytes = true, nil
		default:
			l.bytes = append(l.bytes, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if errors.Is(err, io.EOF) && l.size > 0 {
			err = nil // the last line may lack its end
		}
		if err != nil {
			return line{}, err
		}
		s.n++
		s.read += l.size
		return l, nil
	}
}

// unread puts lines back, to be read again.
func (s *lines) unread(some []line) {
	for _, l := range some {
		s.read -= l.size
	}
	s.back = append(append([]line(nil), some...), s.back...)
}

// offset is how many bytes of the file were given out.
func (s *lines) offset() int64 { return s.read }
