package landfall

// Write is the new state of one record.
type Write struct {
	Record   *Record
	Audience []string          // keys that may receive it, sorted
	Unique   map[string]string // values of its unique fields; nil when its type has none
	// Links are the records that it is to be found from; nil leaves them as they are.
	Links []Link
}

// Link says that a field of a record names another.
type Link struct{ Field, Target string }

// Regroup gives a record another audience without a new version of it: who may
// see it follows from a record that changed.
type Regroup struct {
	ID       string
	Audience []string // sorted
}

// Effects is what one verdict does. It is committed whole, at one place in the
// sequence, or not at all.
type Effects struct {
	Writes   []Write
	Regroups []Regroup // none of them is written, too
	Changes  []Change
	Counters map[string]int64 // last number given, by series
}
