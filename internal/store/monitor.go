package store

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
)

// Scan bounds a search, so that one that finds nothing does not read all that
// there is. Newest first, unless its page says otherwise.
type Scan[T any] struct {
	Page
	// Most is how many rows are looked at; positive.
	Most int
	// Pass says of a row that has passed the filter whether it is wanted; nil: all
	// are. It may read, but not search.
	Pass func(*T) (bool, error)
	// Of, when not empty, is the user whose rows alone are looked at: how far such a
	// search comes tells of nobody else's.
	Of string
}

// Found is what a search came to.
type Found[T any] struct {
	Rows []*T
	// Next is the cursor of the row that was looked at last; "" when there is
	// nothing behind it. To is when that row came.
	Next string
	To   time.Time
}

// Monitor searches the inbox.
type Monitor interface {
	// Search lists items in the order in which they arrived, which is that of
	// ReceivedAt as long as the clock goes on; the cursor of a row is Key.String().
	// The filter's times are those of the arrival. It goes by the filter that
	// leaves the fewest rows. Text is the caller's to look for.
	Search(ws string, f ItemFilter, s Scan[Item]) (Found[Item], error)
	// ItemRecords lists at most limit records that items name and whose id begins
	// with prefix, in order.
	ItemRecords(ws, prefix string, limit int) ([]string, error)
	// Known is a record's number and who may receive it now; nothing for none.
	Known(ws, id string) (number string, keys []string, err error)
	// Aging lists what can be cleaned and was completed before a point in time,
	// the longest ago first; Next of what it gives is where to go on.
	Aging(ws string, before time.Time, p Page) (Found[Item], error)
}

// Cleaned says that an item's parameters and log were removed.
type Cleaned struct {
	At    time.Time `json:"at"`
	Ended time.Time `json:"ended"` // when the item was completed
}

// Ended is when a completed item was completed that still has its parameters and
// that no issue holds; else the zero time.
func (i *Item) Ended() time.Time {
	if i.State != Completed || i.Holder != "" || i.Cleaned != nil || len(i.History) == 0 {
		return time.Time{}
	}
	return i.History[len(i.History)-1].At
}

// Clean removes the parameters and the log of a completed item. Its number,
// hash, result, place and outcome stay: they are what a repetition is known by,
// and what it is answered.
func (i *Item) Clean(at time.Time) {
	i.Cleaned = &Cleaned{At: at, Ended: i.Ended()}
	i.Bytes, i.History, i.Receipt.Messages = []byte{}, nil, nil
}

// Kind is what the item was refused for, the last time that it was; "" for none.
func (i *Item) Kind() landfall.Kind {
	if o := i.Outcome; o != nil && o.Kind != "" {
		return o.Kind
	}
	for k := len(i.History) - 1; k >= 0; k-- {
		if e := &i.History[k]; e.State == WithErrors && slices.Contains(landfall.Kinds, landfall.Kind(e.Text)) {
			return landfall.Kind(e.Text)
		}
	}
	return i.Receipt.Kind
}

// Arrival is the place of a new item behind the last one: when it was received,
// and later than all before it.
func Arrival(last int64, i *Item) int64 {
	if i.ReceivedAt.IsZero() {
		return max(last+1, 0)
	}
	return max(last+1, i.ReceivedAt.UnixNano())
}

// Span is what of the arrivals lies between two points in time, the second
// excluded; a zero time is no bound.
func Span(since, until time.Time) (from, to int64) {
	from, to = 0, 1<<63-1
	if !since.IsZero() {
		from = since.UnixNano()
	}
	if !until.IsZero() {
		to = until.UnixNano()
	}
	return from, to
}

// AgingCursor is where the list of what can be cleaned goes on: behind the item
// that ended then and arrived there.
func AgingCursor(ended, arrived int64) string {
	return strconv.FormatInt(ended, 10) + "." + strconv.FormatInt(arrived, 10)
}

// ParseAgingCursor reads what AgingCursor wrote; "" is the beginning.
func ParseAgingCursor(s string) (ended, arrived int64, err error) {
	if s == "" {
		return 0, 0, nil
	}
	first, second, _ := strings.Cut(s, ".")
	ended, err = strconv.ParseInt(first, 10, 64)
	if err == nil {
		arrived, err = strconv.ParseInt(second, 10, 64)
	}
	if err != nil {
		return 0, 0, landfall.Errorf(landfall.CodeInvalid, "this is not where cleaning can go on").WithHint("use what the last answer gave as next")
	}
	return ended, arrived, nil
}

// ItemStates are all states, in the order of an item's life.
var ItemStates = []ItemState{Queued, InProgress, Completed, WithErrors, Withdrawn}
