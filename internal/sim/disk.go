package sim

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/kv"
)

// ending is how a process ends in the middle of a commit.
type ending int

const (
	stays    ending = iota
	before          // killed before the transaction was written
	after           // killed when it was durable, and nobody had heard of it
	powerCut        // the power went while it was written
)

func (e ending) String() string {
	return [...]string{"stays", "before its commit", "after its commit", "by a power cut within its commit"}[e]
}

// crash unwinds a process that ends in the middle of a commit.
type crash struct{ disk *disk }

// sector is what a disk writes as one.
const sector = 512

// disk is where a database lies. A transaction is a frame: written, then synced.
// What was not synced when the power goes is there in any part, by sectors, and
// a sector may be torn; a frame counts when its checksum says that it is whole.
type disk struct {
	db   *kv.DB
	dice dice

	next   ending       // of the next commit
	full   bool         // nothing can be written
	broken bool         // a sync failed: what is on the disk is not known
	flaky  float64      // share of the commits that fail
	sync   bool         // the next sync fails
	frame  []byte       // written and not known to be synced
	writes []kv.Write   // of the frame
	met    func(string) // counts what came about
	about  func()       // is told of each frame that a start may find
}

func newDisk(db *kv.DB, d dice, met func(string), about func()) *disk {
	x := &disk{db: db, dice: d, met: met, about: about}
	db.OnCommit(x.commit)
	return x
}

var (
	errFull  = errors.New("no space left on the disk")
	errIO    = errors.New("input/output error")
	errFsync = errors.New("the disk could not be synced; nothing is written until the next start")
)

func unavailable(err error) error {
	return &landfall.Error{Code: landfall.CodeUnavailable, Message: "the database can't do its work now; nothing is lost", Hint: "try again", Err: err}
}

// commit is the moment in which a transaction becomes durable.
func (x *disk) commit(ws []kv.Write) error {
	end := x.next
	x.next = stays
	switch {
	case end == before:
		x.frame, x.writes = nil, nil
		panic(crash{x})
	case x.broken:
		return unavailable(errFsync)
	case x.full:
		x.met("disk full")
		return unavailable(errFull)
	case x.dice.chance(x.flaky):
		x.met("disk error")
		return unavailable(errIO)
	}
	x.frame, x.writes = nil, ws
	x.about()
	if end == powerCut || x.sync {
		x.frame = encodeFrame(ws)
	}
	switch {
	case end != stays:
		panic(crash{x})
	case x.sync:
		x.sync, x.broken = false, true
		x.met("sync failed")
		return unavailable(errFsync)
	}
	x.writes = nil
	return nil
}

// recover brings the database to what a start finds after a crash, and reports
// whether the transaction that was under way is there.
func (x *disk) recover() bool {
	ws, frame := x.writes, x.frame
	x.writes, x.frame, x.broken, x.sync, x.full = nil, nil, false, false, false
	if ws == nil {
		return false
	}
	if frame != nil {
		if frame = x.tear(frame); !whole(frame) {
			x.met("torn frame")
			return false
		}
		x.met("unsynced frame kept")
	}
	x.db.Apply(ws)
	return true
}

// tear is what is found of a frame that was written and not synced.
func (x *disk) tear(frame []byte) []byte {
	found := make([]byte, len(frame))
	if x.dice.chance(0.3) { // all of it had reached the disk
		copy(found, frame)
		return found
	}
	for at := 0; at < len(frame); at += sector {
		end := min(at+sector, len(frame))
		switch x.dice.IntN(3) {
		case 0: // lost
		case 1:
			copy(found[at:end], frame[at:end])
		default:
			copy(found[at:at+x.dice.IntN(end-at+1)], frame[at:end])
		}
	}
	return found
}

// encodeFrame is a transaction as it is written: its length, its checksum, its
// writes.
func encodeFrame(ws []kv.Write) []byte {
	b := make([]byte, 8, 256)
	text := func(s []byte) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	for _, w := range ws {
		text([]byte(w.Key))
		text(w.Value)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	binary.BigEndian.PutUint32(b[4:], crc32.ChecksumIEEE(b[8:]))
	return b
}

func whole(frame []byte) bool {
	return len(frame) >= 8 && binary.BigEndian.Uint32(frame) == uint32(len(frame)) &&
		binary.BigEndian.Uint32(frame[4:]) == crc32.ChecksumIEEE(frame[8:])
}
