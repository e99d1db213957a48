package core

import "time"

// EditTime is when an edit was made, as far as a device's clock can be used: as
// long before the push was received as the device's own clock says (a constant
// error of that clock has no effect), but not after its receipt, not before the
// commit of its base, and not before the edit of its own predecessor. Zero
// times for clock, madeAt, baseCommit or previousEdit mean that there is none.
func EditTime(received, clock, madeAt, baseCommit, previousEdit time.Time) time.Time {
	at := received
	if !clock.IsZero() && !madeAt.IsZero() {
		if ago := clock.Sub(madeAt); ago > 0 {
			at = received.Add(-ago)
		}
	}
	for _, floor := range []time.Time{baseCommit, previousEdit} {
		if at.Before(floor) {
			at = floor
		}
	}
	if at.After(received) {
		at = received
	}
	return at.UTC()
}
