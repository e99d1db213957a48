package landfall

// Write is the new state of one record.
type Write struct {
	Record   *Record
	Audience []string          // keys that may receive it, sorted
	Unique   map[string]string // values of its unique fields; nil when its type has none
}

// Effects is what one verdict does. It is committed whole, at one place in the
// sequence, or not at all.
type Effects struct {
	Writes   []Write
	Changes  []Change
	Counters map[string]int64 // last number given, by series
}
