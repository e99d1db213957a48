package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/wire"
)

// latencies are how long each of many requests took.
type latencies []time.Duration

func (l *latencies) add(d time.Duration) { *l = append(*l, d) }

// at is the latency that a share of all stayed under; 0 without any.
func (l latencies) at(share float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	s := slices.Clone(l)
	slices.Sort(s)
	return s[min(len(s)-1, int(share*float64(len(s))))]
}

// device is a replica that pushes and pulls as fast as it is answered. It
// speaks HTTP on a connection of its own and does no more work than it must,
// since it shares the machine with what it measures.
type device struct {
	who        int
	replica    string
	credential string
	host       string
	conn       net.Conn
	read       *bufio.Reader
	wire       *atomic.Int64 // bytes of replies
	previous   string
	next       int64
	checkpoint string
	version    int64 // last sequence that it pulled
	lat        latencies
	body       bytes.Buffer
	reply      bytes.Buffer // the answer as it came
	text       bytes.Buffer // and unfolded
	unzip      *gzip.Reader
}

func (d *device) dial(ctx context.Context) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.host)
	if err != nil {
		return err
	}
	d.conn, d.read = c, bufio.NewReaderSize(c, 64<<10)
	return nil
}

// exchange sends a request and reads the whole answer.
func (d *device) exchange(method, path string, body []byte, unzip bool) ([]byte, error) {
	head := method + " " + path + " HTTP/1.1\r\nHost: " + d.host + "\r\nAuthorization: Bearer " + d.credential + "\r\n"
	if unzip {
		head += "Accept-Encoding: gzip\r\n"
	}
	if body != nil {
		head += "Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	begun := time.Now()
	buffers := net.Buffers{[]byte(head + "\r\n"), body}
	if _, err := buffers.WriteTo(d.conn); err != nil {
		return nil, err
	}
	res, err := http.ReadResponse(d.read, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // it is read to its end
	d.reply.Reset()
	if _, err := d.reply.ReadFrom(res.Body); err != nil {
		return nil, err
	}
	raw := d.reply.Bytes()
	d.lat.add(time.Since(begun))
	d.wire.Add(int64(len(raw)))
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, res.Status, raw)
	}
	return d.decoded(res.Header.Get("Content-Encoding"), raw)
}

// decoded is the answer unfolded. It is good until the next one.
func (d *device) decoded(encoding string, raw []byte) ([]byte, error) {
	switch encoding {
	case "":
		return raw, nil
	case "gzip":
		if d.unzip == nil {
			d.unzip = new(gzip.Reader)
		}
		if err := d.unzip.Reset(bytes.NewReader(raw)); err != nil {
			return nil, err
		}
		d.text.Reset()
		_, err := d.text.ReadFrom(d.unzip)
		return d.text.Bytes(), err
	}
	return nil, fmt.Errorf("an encoding %q", encoding)
}

// push sends mutations, each the text of one without its number.
func (d *device) push(text func(n int64) string, count int) (*wire.PushReply, error) {
	head, err := json.Marshal(wire.Push{
		Replica: d.replica, Incarnation: 1, Clock: time.Now().UTC(), Protocol: wire.Protocol, Definition: 1,
		First: d.next, PreviousHash: d.previous, Waiting: count, Client: "landfall bench", Mutations: []json.RawMessage{},
	})
	if err != nil {
		return nil, err
	}
	d.body.Reset()
	d.body.Write(bytes.TrimSuffix(head, []byte("]}")))
	last := ""
	for i := range count {
		if i > 0 {
			d.body.WriteByte(',')
		}
		last = `{"n":` + strconv.FormatInt(d.next+int64(i), 10) + `,` + text(d.next+int64(i)) + `}`
		d.body.WriteString(last)
	}
	d.body.WriteString("]}")
	d.previous = core.Hash([]byte(last))
	d.next += int64(count)
	return d.repeat(count)
}

// repeat sends what was pushed last.
func (d *device) repeat(count int) (*wire.PushReply, error) {
	raw, err := d.exchange("POST", "/v1/sync/push", d.body.Bytes(), true)
	if err != nil {
		return nil, err
	}
	if count == 1 && bytes.Contains(raw, []byte(`"result":"applied"`)) {
		return nil, nil // it shares the machine: what is clear is not parsed
	}
	reply := &wire.PushReply{}
	if err := json.Unmarshal(raw, reply); err != nil {
		return nil, err
	}
	if len(reply.Receipts) != count {
		return nil, fmt.Errorf("%d receipts for %d mutations: %s", len(reply.Receipts), count, raw)
	}
	return reply, nil
}

const madeAt = `"made_at":"2026-03-01T08:00:00Z"`

// create is the text of a mutation that makes a job.
func (d *device) create(n int64) string {
	return `"op":"create","type":"job","id":"` + jobID(d.who, n) + `","set":` + jobFields(n, "emma") + `,"base":{"version":0},` + madeAt
}

// refused is a creation that breaks a check: hours below zero.
func (d *device) refused(n int64) string {
	return strings.Replace(d.create(n), `"hours":"`, `"hours":"-1`, 1)
}
