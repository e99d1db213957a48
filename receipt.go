package landfall

// Result is the answer to one mutation.
type Result string

// The results. Stored is for the moment only: captured durably, verdict to follow.
const (
	Applied Result = "applied"
	Issued  Result = "issue"
	Stored  Result = "stored"
)

// Receipt is the answer to one mutation. It is durable before it is sent and
// never changes once it is applied or issue; what becomes of an issue later is
// an Outcome. It holds codes, ids and field names, never values.
type Receipt struct {
	N      int64  `json:"n"`
	Result Result `json:"result"`
	// Seq is the verdict's place in the sequence: once the replica's checkpoint
	// covers it, the mutation's effect is in the pulled records.
	Seq int64 `json:"seq,omitempty"`
	// Issue is set for Issued: the mutation's own issue or the one it waits in.
	Issue   string `json:"issue,omitempty"`
	Kind    Kind   `json:"kind,omitempty"`
	Waiting bool   `json:"waiting,omitempty"`
	// Note explains an applied mutation that had no effect, such as a
	// withdrawal that came too late.
	Note     string    `json:"note,omitempty"`
	Messages []Message `json:"messages,omitempty"`
}

// Settlement is how a mutation that was an issue, or waited in one, ended.
type Settlement string

// The settlements. Moved means that the mutation now waits in, or is, another issue.
const (
	SettledApplied   Settlement = "applied"
	SettledMerged    Settlement = "merged"
	SettledKept      Settlement = "kept"
	SettledAmended   Settlement = "amended"
	SettledWithdrawn Settlement = "withdrawn"
	SettledMoved     Settlement = "moved"
)

// Outcome tells a replica what became of one of its mutations after the
// receipt. It is pulled; Seq is its place in the sequence.
type Outcome struct {
	Incarnation int64      `json:"incarnation"`
	N           int64      `json:"n"`
	Seq         int64      `json:"seq"`
	Settlement  Settlement `json:"settlement"`
	Issue       string     `json:"issue,omitempty"` // for moved: the issue that holds it now
	Kind        Kind       `json:"kind,omitempty"`
}
