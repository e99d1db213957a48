package httpapi

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/landfall-sync/landfall/internal/wire"
)

// writePage answers a pull. What is compressed already goes out as it is.
func (a *API) writePage(hc huma.Context, p *wire.PullPage) {
	before, after, err := p.Around()
	changes := p.Encoded
	zipped := p.Packed != nil && takesGzip(hc.Header("Accept-Encoding"))
	if err == nil && p.Packed != nil && !zipped {
		changes, err = p.Packed.Text()
	}
	if err == nil && zipped {
		var b []byte
		if b, err = member(before, p.Packed, after); err == nil {
			hc.SetHeader("Content-Encoding", "gzip")
			hc.SetHeader("Vary", "Accept-Encoding")
			before, changes, after = nil, b, nil
		}
	}
	if err != nil {
		a.Log.LogAttrs(hc.Context(), slog.LevelError, "a page can't be written", slog.String("error", err.Error()))
		f := failed(err)
		hc.SetStatus(f.status)
		before, changes, after = nil, nil, nil
		if b, err := f.MarshalJSON(); err == nil {
			changes = b
		}
	}
	hc.SetHeader("Content-Type", "application/json")
	hc.SetHeader("Content-Length", strconv.Itoa(len(before)+len(changes)+len(after)))
	for _, part := range [][]byte{before, changes, after} {
		if _, err := hc.BodyWriter().Write(part); err != nil {
			return // the client went away; there is nobody left to tell
		}
	}
}

// takesGzip reads Accept-Encoding (RFC 9110, 12.5.3) as far as gzip goes.
func takesGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding = strings.ToLower(strings.TrimSpace(coding)); coding != "gzip" && coding != "*" {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
		if n, err := strconv.ParseFloat(q, 64); found && (err != nil || n <= 0) {
			continue
		}
		return true
	}
	return false
}

// member is one gzip member (RFC 1952) around blocks that are compressed
// already: what is before and after them is small.
func member(before []byte, p *wire.Packed, after []byte) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(len(p.Blocks) + len(before) + len(after) + 64)
	b.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255}) // deflate, no name, no time, made for speed
	if err := deflated(&b, before, (*flate.Writer).Flush); err != nil {
		return nil, err
	}
	b.Write(p.Blocks)
	if err := deflated(&b, after, (*flate.Writer).Close); err != nil {
		return nil, err
	}
	crc := combined(crc32.ChecksumIEEE(before), p.CRC, p.Size)
	crc = crc32.Update(crc, crc32.IEEETable, after)
	b.Write(binary.LittleEndian.AppendUint32(nil, crc))
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(int64(len(before)+len(after))+p.Size)))
	return b.Bytes(), nil
}

// deflated writes a short text without compressing it.
func deflated(to io.Writer, text []byte, end func(*flate.Writer) error) error {
	w, err := flate.NewWriter(to, flate.NoCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	return end(w)
}

// combined is the CRC of two texts one after the other, from that of each and
// the length of the second: the first is carried through so many zero bytes, by
// squaring the step for one bit. It is the method of zlib's crc32_combine.
func combined(first, second uint32, length int64) uint32 {
	var step matrix
	step[0] = crc32.IEEE // of one zero bit
	for i := 1; i < 32; i++ {
		step[i] = 1 << (i - 1)
	}
	for range 3 {
		step = step.squared() // of a byte
	}
	for ; length > 0; length >>= 1 {
		if length&1 == 1 {
			first = step.times(first)
		}
		step = step.squared()
	}
	return first ^ second
}

// matrix is one over GF(2), by columns.
type matrix [32]uint32

func (m *matrix) times(v uint32) (sum uint32) {
	for i := 0; v != 0; i, v = i+1, v>>1 {
		if v&1 == 1 {
			sum ^= m[i]
		}
	}
	return sum
}

func (m *matrix) squared() (out matrix) {
	for i := range m {
		out[i] = m.times(m[i])
	}
	return out
}
