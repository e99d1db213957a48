package kv

import (
	"strconv"
	"strings"
)

// Keys are made of parts, each with its end, so that they sort part by part,
// and a key of the first parts is the prefix of all that go on from there.
const (
	partEnd = "\x00\x01"
	zero    = "\x00"
	escaped = "\x00\xff" // a zero within a part
)

// Key is the key of these parts.
func Key(parts ...string) string {
	size := 0
	for _, p := range parts {
		size += len(p) + len(partEnd)
	}
	var b strings.Builder
	b.Grow(size)
	for _, p := range parts {
		b.WriteString(Part(p))
		b.WriteString(partEnd)
	}
	return b.String()
}

// Part is how a part, or the beginning of one, stands in a key.
func Part(s string) string { return strings.ReplaceAll(s, zero, escaped) }

// Behind comes after all keys that begin with these parts, and before all others
// that come after those.
func Behind(parts ...string) string {
	k := Key(parts...)
	return k[:len(k)-1] + "\x02"
}

// Parts are what a key is made of.
func Parts(key string) []string {
	parts := strings.Split(key, partEnd)
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(p, escaped, zero)
	}
	return parts[:len(parts)-1]
}

// Last is the last part of a key.
func Last(key string) string {
	key = strings.TrimSuffix(key, partEnd)
	if i := strings.LastIndex(key, partEnd); i >= 0 {
		key = key[i+len(partEnd):]
	}
	return strings.ReplaceAll(key, escaped, zero)
}

const digits = "0123456789abcdef"

// Number is a part that sorts as the number does.
func Number(n int64) string {
	var b [16]byte
	u := uint64(n) ^ 1<<63
	for i := range b {
		b[len(b)-1-i] = digits[u&15]
		u >>= 4
	}
	return string(b[:])
}

// ParseNumber reads what Number wrote.
func ParseNumber(s string) (int64, error) {
	u, err := strconv.ParseUint(s, 16, 64)
	return int64(u ^ 1<<63), err
}
