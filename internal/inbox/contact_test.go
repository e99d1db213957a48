package inbox

import (
	"errors"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// toWipe asks the phone to erase itself; emptied is the incarnation that it left
// when it came back empty.
func toWipe(t *testing.T, st store.Store, incarnation, emptied int64) {
	t.Helper()
	if err := st.Update(t.Context(), func(w store.Writer) error {
		d, err := w.Replica("w", "phone")
		d.Credential, d.Wiping, d.Incarnation, d.Emptied = "c", true, incarnation, emptied
		return errors.Join(err, w.PutReplica("w", d))
	}); err != nil {
		t.Fatal(err)
	}
}

// erased is the word of a device that it has erased itself.
func erased(t *testing.T, incarnation string) []byte {
	t.Helper()
	return []byte(strings.Replace(string(body(t, 1)), `"incarnation":1`, `"wiped":true,"incarnation":`+incarnation, 1))
}

// A device was copied. When one of the two has erased itself, the other, which
// still has everything, is asked to do the same.
func TestWipedCopy(t *testing.T) {
	in, st := stocked(t, 0)
	toWipe(t, st, 1, 0)
	if _, err := offered(t, in, erased(t, "1")); err != nil || replicaOf(t, st).State() != store.Wiped {
		t.Fatalf("%s, %v", replicaOf(t, st).State(), err)
	}
	at := replicaOf(t, st).WipedAt
	reply, err := offered(t, in, body(t, 1, creation(1, "one")))
	if err != nil || reply.Order != wire.OrderWipe || strings.Join(results(reply), " ") != "issue authorization" {
		t.Errorf("%+v, %v", reply, err)
	}
	if _, err := offered(t, in, erased(t, "1")); err != nil || !replicaOf(t, st).WipedAt.Equal(at) {
		t.Errorf("%+v, %v", replicaOf(t, st), err)
	}
}

// The word of a device that has erased itself was under way when it came back
// empty, and was let in again: it does not speak of what is on it now.
func TestWipedBeforeItCameBack(t *testing.T) {
	in, st := stocked(t, 0)
	toWipe(t, st, 2, 1)
	reply, err := offered(t, in, erased(t, "1"))
	if d := replicaOf(t, st); err != nil || d.State() != store.Wiping || d.Void || reply.Order != wire.OrderWipe {
		t.Errorf("%+v, %+v, %v", d, reply, err)
	}
	if _, err := offered(t, in, erased(t, "2")); err != nil || replicaOf(t, st).State() != store.Wiped {
		t.Errorf("%s, %v", replicaOf(t, st).State(), err)
	}
}
