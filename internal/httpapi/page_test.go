package httpapi

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"hash/crc32"
	"io"
	"testing"

	"pgregory.net/rapid"

	"github.com/landfall-sync/landfall/internal/wire"
)

// A member around packed blocks is gzip to everybody else's reader.
func TestMember(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 0, 3000)
		before, middle, after := text.Draw(t, "before"), text.Draw(t, "middle"), text.Draw(t, "after")
		var blocks bytes.Buffer
		w, err := flate.NewWriter(&blocks, flate.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(middle); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		b, err := member(before, &wire.Packed{Blocks: blocks.Bytes(), CRC: crc32.ChecksumIEEE(middle), Size: int64(len(middle))}, after)
		if err != nil {
			t.Fatal(err)
		}
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r) // checks CRC and length
		if want := bytes.Join([][]byte{before, middle, after}, nil); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%q, %v; want %q", got, err, want)
		}
	})
}

func TestTakesGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "br, gzip": true, "GZIP;q=0.5": true, "gzip;q=0": false, "gzip; q=0.0": false, "*": true, "zstd": false, "gzip;q=x": false,
	} {
		if got := takesGzip(accept); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}
