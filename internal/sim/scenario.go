package sim

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Fault is a class of trouble that a world can have.
type Fault string

// The faults. Each can be switched off; a seed chooses some of them.
const (
	Network       Fault = "network"        // messages lost, doubled, late, out of order, cut
	Partition     Fault = "partition"      // a device without a network for a while
	ServerKill    Fault = "server-kill"    // killed between and within commits
	ServerStop    Fault = "server-stop"    // ended in order
	ServerPower   Fault = "server-power"   // the power goes within a commit
	ServerDisk    Fault = "server-disk"    // full, failing, a sync that fails
	ServerClock   Fault = "server-clock"   // jumps, back and ahead
	ServerRestore Fault = "server-restore" // restored from its last backup
	CopyBack      Fault = "copy-back"      // an old copy of its folder put in place, and nobody says so
	DeviceKill    Fault = "device-kill"
	DevicePower   Fault = "device-power"
	DeviceDisk    Fault = "device-disk"
	DeviceClock   Fault = "device-clock" // wrong from the start, and jumping years
	DeviceRestore Fault = "device-restore"
	Clone         Fault = "clone" // a copy of a device goes on beside it
	Evict         Fault = "evict" // the storage is gone
	Tabs          Fault = "tabs"  // two programs on one storage
	Rights        Fault = "rights"
	Revoke        Fault = "revoke"
	Publish       Fault = "publish"
	Block         Fault = "block"   // devices blocked, and let in again
	Garbage       Fault = "garbage" // a device that sends nonsense
	Repair        Fault = "repair"  // people edit what was refused
	Orders        Fault = "orders"  // devices retired, wiped, blocked, revoked, let in again
	Force         Fault = "force"   // full syncs are asked for
	Export        Fault = "export"  // outboxes exported, and landed
	Return        Fault = "return"  // the storage is gone, and the device comes back under its old id
	Clean         Fault = "clean"   // old items are cleaned, and copies of old pushes come
	Unaided       Fault = "unaided" // the server's own tries switched off and on
)

// AllFaults are all that there are.
var AllFaults = []Fault{
	Network, Partition, ServerKill, ServerStop, ServerPower, ServerDisk, ServerClock, ServerRestore, CopyBack,
	DeviceKill, DevicePower, DeviceDisk, DeviceClock, DeviceRestore, Clone, Evict, Tabs, Rights, Revoke, Publish, Block, Garbage,
	Repair, Orders, Force, Export, Return, Clean, Unaided,
}

// later is where those begin that came later: they are drawn from dice of their own.
var later = slices.Index(AllFaults, Repair)

// Conf is how a world is.
type Conf struct {
	Workers  int           `json:"workers"`
	Devices  int           `json:"devices"`
	Policy   string        `json:"policy"` // of the status
	Page     int           `json:"page"`   // changes a pull
	KeptFrom int           `json:"kept_from"`
	Hot      int           `json:"hot"` // records that are worked on at a time
	Careful  time.Duration `json:"careful"`
	Outage   time.Duration `json:"outage"` // of the server, at most
	Think    time.Duration `json:"think"`
	Backlog  int64         `json:"backlog,omitempty"` // bytes of pushes that may wait
	Gather   time.Duration `json:"gather"`            // how long pushes wait for others, at most
	// RetryPage is how many issues are tried again in one call; 0: as many as the
	// program has it.
	RetryPage int     `json:"retry_page,omitempty"`
	Network   Trouble `json:"network"`
	Backups   bool    `json:"backups"`
	Faults    []Fault `json:"faults"`
}

func (c *Conf) has(f Fault) bool { return slices.Contains(c.Faults, f) }

// Action is something that somebody does, or that happens to them. It draws from
// dice of its own, so that it is the same whatever else is left out.
type Action struct {
	At   time.Duration `json:"at"`
	Do   string        `json:"do"`
	Who  int           `json:"who"`
	Seed uint64        `json:"seed"`
}

// Scenario is a world and what happens in it: all that a run is made from.
type Scenario struct {
	Seed    uint64   `json:"seed"`
	Conf    Conf     `json:"conf"`
	Actions []Action `json:"actions"`
}

// What people do all day, and how often.
var daily = []weighted{
	{"create", 8}, {"change", 34}, {"group", 5}, {"revert", 4}, {"retry own", 2}, {"sync", 40},
	{"rush", 2}, {"decide", 13}, {"handle", 5}, {"retry", 4}, {"desk", 11}, {"look", 5},
}

// What each fault adds.
var added = map[Fault][]weighted{
	Partition: {{"partition", 3}}, ServerKill: {{"kill server", 3}, {"kill server before", 3}, {"kill server after", 4}},
	ServerStop: {{"stop server", 2}}, ServerPower: {{"cut server", 4}}, ServerDisk: {{"fill server", 2}, {"flaky server", 2}, {"unsynced server", 1}},
	ServerClock: {{"server clock", 2}}, ServerRestore: {{"backup", 3}, {"restore", 2}}, CopyBack: {{"backup", 3}, {"copy back", 2}},
	DeviceKill: {{"kill device", 3}, {"kill device before", 3}, {"kill device after", 3}}, DevicePower: {{"cut device", 3}},
	DeviceDisk: {{"fill device", 2}, {"flaky device", 2}}, DeviceClock: {{"device clock", 3}},
	DeviceRestore: {{"save device", 3}, {"restore device", 2}}, Clone: {{"clone", 1}}, Evict: {{"evict", 1}}, Tabs: {{"tabs", 2}},
	Rights: {{"administer", 8}}, Revoke: {{"revoke", 2}}, Publish: {{"publish", 3}}, Block: {{"block", 3}}, Garbage: {{"garbage", 5}},
	Repair: {{"repair", 9}}, Orders: {{"order", 5}}, Force: {{"force", 4}}, Export: {{"export", 4}, {"land", 5}}, Return: {{"come back", 2}},
	Clean: {{"clean", 5}, {"replay", 5}}, Unaided: {{"switch", 3}},
}

type weighted struct {
	do     string
	weight int
}

// Draw makes the scenario of a seed: a swarm, in which each world has other
// faults than the next.
func Draw(seed uint64) Scenario { return Swarm{}.Draw(seed) }

// Draw makes the scenario of a seed, with the faults that the swarm may have.
func (o Swarm) Draw(seed uint64) Scenario {
	d, more := newDice(seed, "scenario"), newDice(seed, "more")
	s := Scenario{Seed: seed, Conf: drawConf(d, more, o)}
	s.Conf.RetryPage = pick(newDice(seed, "pages"), []int{0, 1, 2, 3})
	all := slices.Clone(daily)
	for _, f := range AllFaults[:later] {
		if s.Conf.has(f) {
			all = append(all, added[f]...)
		}
	}
	total := 0
	for _, a := range all {
		total += a.weight
	}
	n := 40 + d.IntN(120)
	span := time.Duration(n) * d.span(300*time.Millisecond, 4*time.Second)
	for range n {
		at, roll := d.span(0, span), d.IntN(total)
		do := ""
		for _, a := range all {
			if roll -= a.weight; roll < 0 {
				do = a.do
				break
			}
		}
		s.Actions = append(s.Actions, Action{At: at.Truncate(time.Millisecond), Do: do, Who: d.IntN(1 << 16), Seed: d.Uint64() >> 11})
	}
	for _, f := range AllFaults[later:] {
		for _, a := range added[f] {
			for range (a.weight*n + 99) / 100 {
				if s.Conf.has(f) {
					s.Actions = append(s.Actions, Action{At: more.span(0, span).Truncate(time.Millisecond), Do: a.do, Who: more.IntN(1 << 16), Seed: more.Uint64() >> 11})
				}
			}
		}
	}
	slices.SortStableFunc(s.Actions, func(a, b Action) int { return cmp.Compare(a.At, b.At) })
	return s
}

func drawConf(d, more dice, o Swarm) Conf {
	c := Conf{
		Workers: 2 + d.IntN(2), Devices: 2 + d.IntN(3), Policy: pick(d, []string{"strict", "strict", "transitions", "legal"}),
		Page: pick(d, []int{2, 3, 5, 20}), KeptFrom: pick(d, []int{2, 3, 500}), Hot: 2 + d.IntN(4),
		Careful: pick(d, []time.Duration{time.Second, 20 * time.Second, 10 * time.Minute}), Outage: d.span(time.Second, 20*time.Second),
		Think: d.span(time.Second, 30*time.Second), Gather: pick(d, []time.Duration{30 * time.Millisecond, 300 * time.Millisecond, 2 * time.Second}), Backups: d.chance(0.7),
	}
	if d.chance(0.15) {
		c.Backlog = 20_000
	}
	share := pick(d, []float64{0.1, 0.25, 0.5, 0.8})
	for k, f := range AllFaults {
		if from := map[bool]dice{true: more, false: d}[k >= later]; from.chance(share) {
			c.Faults = append(c.Faults, f)
		}
	}
	c.Faults = o.of(c.Faults)
	if c.has(Network) {
		c.Network = Trouble{Lost: d.Float64() * 0.3, Doubled: d.Float64() * 0.3, Late: d.Float64() * 0.15, Cut: d.Float64() * 0.15}
	}
	return c
}

// String tells what a world is like, in a line.
func (s *Scenario) String() string {
	return fmt.Sprintf("seed %d: %d workers, %d devices, %d actions, status policy %s, faults %v", s.Seed, s.Conf.Workers, s.Conf.Devices, len(s.Actions), s.Conf.Policy, s.Conf.Faults)
}
