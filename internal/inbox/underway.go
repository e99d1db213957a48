package inbox

import "time"

// begin notes that captured pushes are being judged: their items are in progress
// until the transaction ends. What is judged without being captured is never seen
// before its verdict.
func (in *Inbox) begin(batch []*captured) (end func()) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.underway == nil {
		in.underway = map[int64]time.Time{}
	}
	for _, c := range batch {
		if c.row.ID != 0 {
			in.underway[c.row.ID] = in.cfg.Clock().UTC()
		}
	}
	return func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		for _, c := range batch {
			delete(in.underway, c.row.ID)
		}
	}
}

// since is when judging a captured push began; the zero time when it has not.
func (in *Inbox) since(push int64) time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.underway[push]
}
