package server

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/landfall-sync/landfall/internal/httpapi"
)

// Times are how long requests may take to arrive, and answers to be taken.
type Times = httpapi.Times

// Bounds are what nobody may use more of. Zero: the defaults; docs/limits.md
// lists them with what happens at each.
type Bounds struct {
	// Connections that may be open; 0: 8,192.
	Connections int
	// Memory is how many bytes of pushes the server holds at once before it sends
	// devices away for a moment, and as much again of all other bodies; 0: 256 MiB,
	// never less than two of the largest pushes.
	Memory int64
	// Backlog is how many bytes of pushes may wait for their verdicts; 0: 256 MiB.
	Backlog int64
	// JudgeTime is how long judging one mutation may take; 0: 5 seconds.
	JudgeTime time.Duration
	// HeaderTime is how long the head of a request may take; 0: 10 seconds.
	HeaderTime time.Duration
	// IdleTime is how long a connection may stay open unused; 0: 2 minutes.
	IdleTime time.Duration
	Times
}

// maxHeader bounds the head of a request, in bytes.
const maxHeader = 64 << 10

func (b *Bounds) fill(l Limits) {
	if b.Connections <= 0 {
		b.Connections = 8192
	}
	if b.Memory <= 0 {
		b.Memory = 256 << 20
	}
	b.Memory = max(b.Memory, 2*l.Body)
	if b.HeaderTime <= 0 {
		b.HeaderTime = 10 * time.Second
	}
	if b.IdleTime <= 0 {
		b.IdleTime = 2 * time.Minute
	}
}

// door lets in so many connections, and tells the others to come back later.
type door struct {
	net.Listener
	most int64
	open atomic.Int64
	out  atomic.Int64 // connections that are being sent away
}

// full is what a connection hears that is one too many. It has no request yet.
const full = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 123\r\n\r\n" +
	`{"code":"unavailable","message":"the server has as many connections as it takes","hint":"try again; nothing is lost by it"}`

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if d.open.Add(1) <= d.most {
			return &inside{Conn: c, door: d}, nil
		}
		d.open.Add(-1)
		if d.out.Add(1) > 64 {
			d.out.Add(-1)
			_ = c.Close() // too many even to be told
			continue
		}
		go d.sendAway(c)
	}
}

// sendAway answers, and reads what was sent, or closing would take the answer
// back on its way.
func (d *door) sendAway(c net.Conn) {
	defer d.out.Add(-1)
	defer func() { _ = c.Close() }() // it was told
	if c.SetDeadline(time.Now().Add(time.Second)) != nil {
		return
	}
	if _, err := c.Write([]byte(full)); err != nil {
		return
	}
	if half, ok := c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		rest := make([]byte, 4096)
		_, _ = c.Read(rest) // whatever it is
	}
}

// handler does not keep connections open when there are few left.
func (d *door) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if 5*d.open.Load() > 4*d.most {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// inside is a connection that was let in.
type inside struct {
	net.Conn
	door *door
	gone atomic.Bool
}

// CloseWrite lets an answer arrive although the rest of the request is not read.
func (i *inside) CloseWrite() error {
	if half, ok := i.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close implements net.Conn.
func (i *inside) Close() error {
	if !i.gone.Swap(true) {
		i.door.open.Add(-1)
	}
	return i.Conn.Close()
}
