package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"

	"github.com/landfall-sync/landfall"
)

// Limits of files.
const (
	maxFile     = 1 << 30  // bytes, whatever a definition says
	defaultFile = 25 << 20 // bytes, where it says nothing
	maxFileName = 200
)

var (
	mediaType = regexp.MustCompile(`^[a-z]+/(\*|[a-z0-9][a-z0-9.+-]*)$`)
	fileHash  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// file is an attachment as it stands in a field: the file itself travels on its
// own, under its hash. The order of the members is that of canonical JSON.
type file struct {
	Hash string `json:"hash"`
	Name string `json:"name"`
	Size int64  `json:"size"`
	Type string `json:"type"`
}

// place is where something is, in WGS 84; Accuracy is in metres.
type place struct {
	Accuracy *float64 `json:"accuracy,omitempty"`
	Lat      *float64 `json:"lat"`
	Lon      *float64 `json:"lon"`
}

// strict decodes one JSON value without members that are not known.
func strict(v landfall.Value, into any) error {
	dec := json.NewDecoder(bytes.NewReader(v))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

func (f *Field) canonicalPlace(v landfall.Value) (landfall.Value, *landfall.Message) {
	var p place
	if strict(v, &p) != nil || p.Lat == nil || p.Lon == nil || !within(*p.Lat, 90) || !within(*p.Lon, 180) {
		return nil, f.wrong()
	}
	if p.Accuracy != nil && (*p.Accuracy < 0 || math.IsInf(*p.Accuracy, 0)) {
		return nil, f.wrong()
	}
	return encode(p), nil
}

func within(x, most float64) bool { return x >= -most && x <= most }

func (f *Field) canonicalFiles(v landfall.Value) (landfall.Value, *landfall.Message) {
	if f.Type != Attachments {
		var one file
		if strict(v, &one) != nil {
			return nil, f.wrong()
		}
		if bad := f.wrongFile(&one); bad != nil {
			return nil, bad
		}
		return encode(one), nil
	}
	var all []file
	if strict(v, &all) != nil {
		return nil, f.wrong()
	}
	for i := range all {
		if bad := f.wrongFile(&all[i]); bad != nil {
			return nil, bad
		}
	}
	slices.SortStableFunc(all, func(a, b file) int { return strings.Compare(a.Hash, b.Hash) })
	all = slices.CompactFunc(all, func(a, b file) bool { return a.Hash == b.Hash })
	if len(all) == 0 {
		return landfall.Null, nil
	}
	if n := len(all); n > f.limit() {
		return nil, &landfall.Message{Code: "too_long", Field: f.Name, Text: fmt.Sprintf("%s: at most %d fit", f.Title, f.limit()), Hint: "Leave some out."}
	}
	return encode(all), nil
}

// wrongFile is what is wrong with the description of a file.
func (f *Field) wrongFile(x *file) *landfall.Message {
	limit := f.MaxSize
	if limit == 0 {
		limit = defaultFile
	}
	switch {
	case !fileHash.MatchString(x.Hash) || x.Name == "" || len(x.Name) > maxFileName || x.Size < 0 || !mediaType.MatchString(x.Type):
		return f.wrong()
	case strings.ContainsFunc(x.Name, func(r rune) bool { return r < ' ' || r == '/' || r == '\\' || r == 0x7f || r == '\uFFFD' }):
		return f.wrong()
	case x.Size > limit:
		return &landfall.Message{Code: "file_too_large", Field: f.Name, Text: fmt.Sprintf("%s: a file may have at most %d bytes", f.Title, limit), Hint: "Make it smaller, a photo for example by a lower resolution."}
	case !f.accepts(x.Type):
		return &landfall.Message{Code: "file_type", Field: f.Name, Text: f.Title + ": files of this kind are not taken", Hint: "It takes " + strings.Join(f.accepted(), ", ") + "."}
	}
	return nil
}

// accepted are the media types that the field takes; none: all.
func (f *Field) accepted() []string {
	if len(f.Accept) == 0 && f.Type == Signature {
		return []string{"image/*"}
	}
	return f.Accept
}

func (f *Field) accepts(t string) bool {
	all := f.accepted()
	return len(all) == 0 || slices.ContainsFunc(all, func(a string) bool {
		family, open := strings.CutSuffix(a, "*")
		return a == t || open && strings.HasPrefix(t, family)
	})
}

// nativePlace is a location as expressions have it.
func nativePlace(v landfall.Value) any {
	var p place
	if strict(v, &p) != nil || p.Lat == nil || p.Lon == nil {
		return types.NullValue
	}
	m := map[string]any{"lat": *p.Lat, "lon": *p.Lon, "accuracy": types.NullValue}
	if p.Accuracy != nil {
		m["accuracy"] = *p.Accuracy
	}
	return m
}

// nativeFiles is a file, or a list of files, as expressions have it.
func nativeFiles(t FieldType, v landfall.Value) any {
	if t != Attachments {
		var one file
		if strict(v, &one) != nil {
			return types.NullValue
		}
		return one.native()
	}
	var all []file
	if strict(v, &all) != nil {
		return types.NullValue
	}
	out := make([]any, 0, len(all))
	for i := range all {
		out = append(out, all[i].native())
	}
	return out
}

func (x *file) native() map[string]any {
	return map[string]any{"hash": x.Hash, "name": x.Name, "size": x.Size, "type": x.Type}
}

func parsePositive(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err == nil && n < 1 {
		err = strconv.ErrRange
	}
	return n, err
}
