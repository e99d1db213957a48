package landfall

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Op is what a mutation asks for.
type Op string

// The operations. Withdraw and Void are about earlier mutations of the same
// replica; Lost stands for a number whose content the device no longer has.
const (
	OpCreate     Op = "create"
	OpUpdate     Op = "update"
	OpTransition Op = "transition"
	OpDelete     Op = "delete"
	OpRestore    Op = "restore"
	OpMergeInto  Op = "merge-into"
	OpWithdraw   Op = "withdraw"
	OpVoid       Op = "void"
	OpLost       Op = "lost"
)

// Base is what the author of a mutation saw.
type Base struct {
	// Version of the record in the replica; 0 for a record made offline.
	Version int64 `json:"version"`
	// After is the number of the replica's own last mutation on this record
	// that its view contained; 0 for none.
	After  int64  `json:"after,omitempty"`
	Status string `json:"status,omitempty"`
	// Was holds the old values of the touched fields; null for unset.
	Was Fields `json:"was,omitempty"`
	// Seen is, for the deletion of a record with parts, the place in the sequence
	// through which the replica had all that its user may see: so it had the parts.
	Seen int64 `json:"seen,omitempty"`
	// Lost: the version is of a history that the server does not have any more,
	// so that only Status and Was say what was seen. It is never sent.
	Lost bool `json:"-"`
}

// Group marks consecutive mutations that are applied all or not at all.
type Group struct {
	ID string `json:"id"`
	Of int    `json:"of"` // members in the group
}

// Amends says that the author made this mutation in view of their open issue.
type Amends struct {
	Issue   string `json:"issue"`
	Version int64  `json:"version,omitempty"`
}

// Mutation is what a device, or a person at the desk, asks for. On the wire it
// is one JSON object without replica and incarnation, which the push carries;
// its bytes never change once it has a number.
type Mutation struct {
	Replica     string `json:"-"`
	Incarnation int64  `json:"-"`
	N           int64  `json:"n"`
	Op          Op     `json:"op"`
	Type        string `json:"type,omitempty"`
	ID          string `json:"id,omitempty"` // the record's
	Set         Fields `json:"set,omitempty"`
	Base        *Base  `json:"base,omitempty"`
	Transition  string `json:"transition,omitempty"`
	Group       *Group `json:"group,omitempty"`
	// Amends names the issue that this mutation mends.
	Amends *Amends `json:"amends,omitempty"`
	// Issue is what a withdraw takes back.
	Issue string `json:"issue,omitempty"`
	// Definition is the version that the author's client knew.
	Definition int64     `json:"definition,omitempty"`
	MadeAt     time.Time `json:"made_at"`
}

// Key identifies a mutation for life.
type Key struct {
	Replica     string `json:"replica"`
	Incarnation int64  `json:"incarnation"`
	N           int64  `json:"n"`
}

// Key returns the mutation's identity.
func (m *Mutation) Key() Key { return Key{m.Replica, m.Incarnation, m.N} }

// String is the form that people and addresses use: replica.incarnation.number.
func (k Key) String() string { return fmt.Sprintf("%s.%d.%d", k.Replica, k.Incarnation, k.N) }

// ParseKey reads what String wrote. The replica may hold points itself.
func ParseKey(s string) (Key, error) {
	bad := Errorf(CodeInvalid, "this is not the id of an inbox item").WithHint("it looks like REPLICA.INCARNATION.NUMBER")
	rest, number, ok := cutLast(s)
	replica, incarnation, ok2 := cutLast(rest)
	if !ok || !ok2 || replica == "" {
		return Key{}, bad
	}
	i, err := strconv.ParseInt(incarnation, 10, 64)
	n, err2 := strconv.ParseInt(number, 10, 64)
	if err != nil || err2 != nil {
		return Key{}, bad
	}
	return Key{replica, i, n}, nil
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}
