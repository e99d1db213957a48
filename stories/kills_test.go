package stories

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Server and devices are killed with -9, in turn and again and again: while a
// push goes out, while it is judged, while its reply comes back, in a pull, in
// an edit, at rest. Whatever is killed is started again and the work goes on.
// In the end every change is there once, every record has the values that its
// device gave it, and sending all pushes again changes nothing.
//
// LANDFALL_KILLS says how many kills; LANDFALL_SEED plays a run again.
func TestKills(t *testing.T) {
	t.Parallel()
	want, seed := number(t, "LANDFALL_KILLS", 40), number(t, "LANDFALL_SEED", 1)
	s := newSlaughter(t, uint64(seed))
	for round := 0; s.server+s.device < want; round++ {
		if round > 2*want+20 {
			t.Fatalf("only %d kills in %d rounds", s.server+s.device, round)
		}
		s.round(round)
		if t.Failed() {
			t.Fatalf("failed after kill %d; LANDFALL_SEED=%d", s.server+s.device, seed)
		}
	}
	s.end()
	kills := s.server + s.device
	t.Logf("kills: %d (server %d, device %d), %d between the begin of a push and its reply", kills, s.server, s.device, s.inside)
	if 2*s.inside < kills {
		t.Errorf("only %d of %d kills between the begin of a push and its reply", s.inside, kills)
	}
	if s.server < want/3 || s.device < want/3 {
		t.Errorf("server %d, device %d: they are not killed in turn", s.server, s.device)
	}
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// worker is a device with what it has made.
type worker struct {
	*Device
	counter string            // a record that is counted up by one a change
	count   int               // where that stands
	made    int               // changes
	records map[string]string // title of each sheet
	cases   map[string]string // status of each case
}

type slaughter struct {
	t                      *testing.T
	w                      *World
	wire                   *Wire
	dice                   *rand.Rand
	workers                []*worker
	server, device, inside int // kills
}

func newSlaughter(t *testing.T, seed uint64) *slaughter {
	t.Helper()
	w := NewWorld(t, "testdata/sheets.yaml")
	s := &slaughter{t: t, w: w, wire: NewWire(w), dice: rand.New(rand.NewPCG(seed, seed))}
	for _, who := range [][2]string{{"emma", "phone"}, {"otto", "tablet"}} {
		user, folder := who[0], who[1]
		w.User(user, "worker")
		d := &worker{Device: w.Device(folder, user, s.wire.URL), records: map[string]string{}, cases: map[string]string{}}
		d.counter = d.Do("create", "sheet", "title="+folder, "add=0", "--quiet")
		d.made, d.records[d.counter] = 1, folder
		d.Do("sync")
		s.workers = append(s.workers, d)
	}
	return s
}

// moments are tried one after another, with each victim. Most are within a push.
var moments = []struct {
	name string
	call string
	at   point
	rest bool // nothing is under way
}{
	{"while the push goes out", "push", inRequest, false},
	{"when the push is out", "push", asked, false},
	{"before the reply is passed on", "push", answered, false},
	{"in the reply to a pull", "pull", inReply, false},
	{"within the reply to the push", "push", inReply, false},
	{"when the push is out", "push", asked, false},
	{"outside of any exchange", "", nowhere, true},
}

// round works on one device, kills at one moment, and goes on.
func (s *slaughter) round(n int) {
	s.t.Helper()
	d, m := s.workers[n/2%len(s.workers)], moments[n/2%len(moments)]
	victim := []string{"server", "device"}[n%2]
	s.work(d, n)
	switch {
	case m.rest && victim == "server":
		s.w.Kill()
		s.server++
		s.work(d, n) // without a server
	case m.rest:
		s.killEdit(d, n)
	default:
		s.killSync(d, victim, m.call, m.at)
	}
	if s.w.server == nil {
		s.w.Start()
	}
	d.Do("sync", "--exit-code")
	name := fmt.Sprintf("round %d, %s of %s killed %s", n, victim, d.Folder, m.name)
	same(s.t, name, text(d.Show(d.counter).Server, "add"), fmt.Sprint(d.count))
}

// work makes changes: a new sheet, one more on the counter, and now and then a
// case that is created, edited and moved on.
func (s *slaughter) work(d *worker, n int) {
	s.t.Helper()
	title := fmt.Sprintf("%s %d", d.Folder, d.made)
	d.records[d.Do("create", "sheet", "title="+title, "add=7", "--quiet")] = title
	d.count++
	d.Do("set", d.counter, fmt.Sprintf("add=%d", d.count))
	d.made += 2
	if n%3 == 0 {
		id := d.Do("create", "strict_case", "what="+title, "--quiet")
		d.Do("set", id, "note=looked at")
		d.Do("move", id, "start")
		d.cases[id] = "under-way"
		d.made += 3
	}
}

// killSync kills within an exchange of a sync.
func (s *slaughter) killSync(d *worker, victim, call string, at point) {
	s.t.Helper()
	started := make(chan *Running, 1)
	killed := make(chan bool, 1) // whether a push was under way
	part := s.dice.Float64()
	s.wire.Plan(func(x *Passage) {
		if x.Call != call || x.Nth != 1 {
			return
		}
		x.At = at
		x.Bytes = func(of int) int { return 1 + int(part*float64(of-1)) } // never all
		x.Do = func() {
			under := s.wire.PushUnderWay()
			if victim == "server" {
				s.w.Kill()
			} else {
				run := <-started
				run.Kill()
				started <- run
			}
			killed <- under && s.wire.PushUnderWay()
		}
	})
	run := d.Background("sync")
	started <- run
	r := run.Wait()
	s.wire.Plan(nil)
	if !r.interrupted && len(killed) == 0 {
		s.t.Errorf("the moment never came in %+v", r)
		return
	}
	inside := <-killed // one that died may have done so before the one who killed it can say it
	switch {
	case victim == "server":
		s.server++
		if r.Code == 0 {
			s.t.Errorf("the sync of a server that was killed: %+v", r)
		}
	case r.interrupted:
		s.device++
	default:
		s.t.Errorf("the device was not killed: %+v", r)
	}
	if inside {
		s.inside++
	}
}

// killEdit kills a device when its edit begins to reach the disk. Either all of
// it is there afterwards or nothing.
func (s *slaughter) killEdit(d *worker, n int) {
	s.t.Helper()
	title := fmt.Sprintf("%s killed %d", d.Folder, n)
	wal := filepath.Join(s.w.path(d.Folder), "replica.db-wal")
	size := func() int64 {
		info, err := os.Stat(wal)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	before := size()
	run := d.Background("create", "sheet", "title="+title, "add=7")
	ended := make(chan Result, 1)
	go func() { ended <- run.Wait() }()
	for size() == before && len(ended) == 0 { // as often as it can, not to miss the moment
	}
	run.Kill()
	if r := <-ended; r.interrupted {
		s.device++
	}
	var all list[view]
	d.JSON(&all, "list", "sheet")
	for _, v := range all.Items {
		if text(v.Record, "title") == title {
			d.records[v.Record.ID] = title
			d.made++
		}
	}
}

// end takes stock.
func (s *slaughter) end() {
	s.t.Helper()
	for _, d := range s.workers {
		d.Do("sync", "--exit-code")
	}
	changes := 0
	for _, d := range s.workers {
		d.Do("sync", "--exit-code") // what the other made
		same(s.t, d.Folder, d.Indicator(), indicator{State: "synced"})
		l := d.Ledger(d.made)
		same(s.t, "applied on "+d.Folder, l.applied, d.made)
		s.t.Logf("%s: %s", d.Folder, l)
		changes += d.made
	}
	same(s.t, "receipts", s.wire.given(), changes)
	s.w.Stop()
	before := s.w.State()
	s.asMade(before, changes)
	s.w.Start()
	pushes, again := s.wire.Replay()
	s.w.Stop()
	sameState(s.t, "after all pushes again", s.w.State(), before)
	s.w.Start()
	s.t.Logf("%d pushes with %d changes sent again, head %d", pushes, again, before.Head)
}

// asMade compares what is stored with what the devices made.
func (s *slaughter) asMade(st state, changes int) {
	s.t.Helper()
	records := 0
	for _, d := range s.workers {
		records += len(d.records) + len(d.cases)
		for id, title := range d.records {
			r, add := st.Records[id], "7"
			if id == d.counter {
				add = fmt.Sprint(d.count)
				same(s.t, "changes of the counter", len(st.Changes[id]), d.count+1)
			}
			same(s.t, id, text(r, "title")+" "+text(r, "add"), title+" "+add)
		}
		for id, status := range d.cases {
			r := st.Records[id]
			if r == nil || r.Status != status || text(r, "note") != "looked at" {
				s.t.Errorf("case %s is %s", id, dump(r))
			}
			same(s.t, "changes of "+id, len(st.Changes[id]), 3)
		}
	}
	same(s.t, "records", len(st.Records), records)
	same(s.t, "items", st.Items, changes)
}
