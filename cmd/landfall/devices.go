package main

import (
	"fmt"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

type deviceCmd struct {
	Enrol   deviceEnrolCmd   `cmd:"" help:"Make a one-time code for a new device."`
	List    deviceListCmd    `cmd:"" help:"List devices, with what waits on them."`
	Show    deviceShowCmd    `cmd:"" help:"Show a device, and account for what it made."`
	Block   deviceBlockCmd   `cmd:"" help:"Let a device hand in, and nothing more."`
	Unblock deviceUnblockCmd `cmd:"" help:"Let a device in again; takes back retire and wipe, too."`
	Retire  deviceRetireCmd  `cmd:"" help:"Let a device deliver all it has, and block it then."`
	Wipe    deviceWipeCmd    `cmd:"" help:"Let a device hand in all it has, and erase itself then."`
	Resync  deviceResyncCmd  `cmd:"" help:"Ask for a full sync at the next contact: of a device, a role, or all."`
	Revoke  deviceRevokeCmd  `cmd:"" help:"Make a device's credential void."`
}

type deviceEnrolCmd struct {
	User string `help:"Whose device it is." required:"" placeholder:"NAME"`
	Name string `help:"What people call the device."`
}

func (c *deviceEnrolCmd) Help() string {
	return "Example:\n  landfall device enrol --user emma --name \"Emma's phone\""
}

// Run makes a code.
func (c *deviceEnrolCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	code, err := d.NewCode(s.ctx, wire.NewCode{User: c.User, Name: c.Name})
	if err != nil {
		return err
	}
	return s.show(code, code.Code, func() {
		fmt.Fprintf(s.out, "Code for %s: %s (once, until %s)\nOn the device: landfall field -C DIR init %s --code %s\n", code.User, code.Code, when(code.Expires), d.Server, code.Code)
	})
}

type deviceListCmd struct {
	User   string `help:"Of this user." placeholder:"NAME"`
	State  string `help:"In this state: active, retiring, blocked, wiping, wiped, revoked." placeholder:"STATE"`
	Silent string `help:"Not heard of since: a time, or a duration back such as 7d." placeholder:"WHEN"`
	Sort   string `help:"id, or contact: those first that were silent longest." enum:"id,contact" default:"id"`
	pageFlags
}

func (c *deviceListCmd) Help() string {
	return "Example:\n  landfall device list --silent 7d --sort contact"
}

// Run lists devices.
func (c *deviceListCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	l, err := d.Devices(s.ctx, desk.DeviceFilter{User: c.User, State: c.State, Silent: c.Silent, ByContact: c.Sort == "contact", Limit: c.Limit, After: c.After})
	if err != nil {
		return err
	}
	now := time.Now()
	return page(s, l, func(v *wire.DeviceView) string { return v.ID }, "There are no such devices. Enrol one: landfall device enrol --user NAME",
		[]string{"ID", "USER", "NAME", "STATE", "LAST HEARD", "WAITING", "BEHIND", "CLOCK", "DEFINITION"}, func(v *wire.DeviceView) []string {
			return []string{v.ID, v.User, v.Name, v.State, heard(now, v.LastContact), waiting(now, v), fmt.Sprint(v.Behind), skew(v.Skew), fmt.Sprint(v.Definition)}
		})
}

// waiting is what a device's outbox holds, as it told last.
func waiting(now time.Time, v *wire.DeviceView) string {
	if v.Waiting == 0 {
		return "nothing"
	}
	if v.Oldest.IsZero() {
		return fmt.Sprint(v.Waiting)
	}
	return fmt.Sprintf("%d, the oldest since %s", v.Waiting, lately(now, v.Oldest.Add(-v.Skew)))
}

// lately is a time as people say it: by the clock today, by the day this week.
func lately(now, at time.Time) string {
	now, at = now.Local(), at.Local()
	switch ago := now.Sub(at); {
	case at.Format(time.DateOnly) == now.Format(time.DateOnly):
		return at.Format("15:04")
	case ago > 0 && ago < 6*24*time.Hour:
		return at.Format("Monday 15:04")
	}
	return at.Format("2006-01-02 15:04")
}

// heard is how long ago something was.
func heard(now, at time.Time) string {
	ago := now.Sub(at)
	for _, u := range []struct {
		size      time.Duration
		one, many string
	}{{24 * time.Hour, "a day", "days"}, {time.Hour, "an hour", "hours"}, {time.Minute, "a minute", "minutes"}} {
		switch n := int(ago / u.size); {
		case at.IsZero():
			return "never"
		case n == 1:
			return u.one + " ago"
		case n > 1:
			return fmt.Sprintf("%d %s ago", n, u.many)
		}
	}
	return "just now"
}

// skew is how wrong a device's clock is, when that is worth a word.
func skew(d time.Duration) string {
	switch {
	case d.Abs() < 2*time.Second:
		return "right"
	case d > 0:
		return d.Round(time.Second).String() + " ahead"
	}
	return d.Abs().Round(time.Second).String() + " behind"
}

type deviceRef struct {
	ID string `arg:"" help:"Which device: its id, the beginning of it, or its name."`
}

type deviceShowCmd struct{ deviceRef }

// shownDevice is a device with its account.
type shownDevice struct {
	*wire.DeviceView
	Ledger *wire.Ledger `json:"ledger"`
}

// Run shows a device.
func (c *deviceShowCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	v, err := d.Device(s.ctx, c.ID)
	if err != nil {
		return err
	}
	l, err := d.Ledger(s.ctx, v.ID)
	if err != nil {
		return err
	}
	return s.show(shownDevice{v, l}, v.ID, func() {
		now := time.Now()
		fmt.Fprintf(s.out, "%s  %s  %s\n", v.ID, whose(v.User, v.Name), v.State)
		fmt.Fprintf(s.out, "%s waiting; last heard %s; %d places behind; enrolled %s\n", waiting(now, v), heard(now, v.LastContact), v.Behind, when(v.Enrolled))
		fmt.Fprintf(s.out, "incarnation %d, next number %d, clock %s, definition %d, program %s\n", v.Incarnation, v.Next, skew(v.Skew), v.Definition, or(v.Client, "unknown"))
		if v.ResyncDue {
			fmt.Fprintln(s.out, "its next contact begins a full sync")
		}
		s.ledger(l)
	})
}

func (s *session) ledger(l *wire.Ledger) {
	fmt.Fprintf(s.out, "Made %d = applied or decided %d + in issues %d + pending %d + lost %d\n", l.Made, l.Applied, l.Issue, l.Pending, l.Lost)
	if len(l.Lines) > 1 {
		for _, x := range l.Lines {
			fmt.Fprintf(s.out, "  incarnation %d: %d = %d + %d + %d + %d\n", x.Incarnation, x.Made, x.Applied, x.Issue, x.Pending, x.Lost)
		}
	}
	if l.Forks.Made > 0 {
		fmt.Fprintf(s.out, "  of other histories: %d = %d + %d\n", l.Forks.Made, l.Forks.Applied, l.Forks.Issue)
	}
	for _, m := range l.Mishaps {
		fmt.Fprintf(s.out, "  %s  %s\n", when(m.At), mishap(&m))
	}
}

// mishap says what was found at a device.
func mishap(m *wire.LedgerMishap) string {
	numbers := fmt.Sprintf("%d of incarnation %d", m.From, m.Incarnation)
	if m.To > m.From {
		numbers = fmt.Sprintf("%d to %d of incarnation %d", m.From, m.To, m.Incarnation)
	}
	switch m.What {
	case "fork":
		return "fork: other changes came under number " + numbers + "; the device was copied, or put back to an earlier time"
	case "restored":
		return "restored: it does not know any more that it sent number " + numbers
	case "lost":
		return "lost: it declared number " + numbers + " lost"
	case "evicted":
		said := ""
		if !m.Reported.IsZero() {
			said = ", as it had reported on " + when(m.Reported)
		}
		return "evicted: it came back without number " + numbers + said
	}
	return m.What + ": number " + numbers
}

// control does something to a device, and says what it means.
func (s *session) control(ref string, act wire.DeviceAct, says func(*wire.DeviceView) string) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	v, err := d.Control(s.ctx, ref, act)
	if err != nil {
		return err
	}
	return s.show(v, v.ID, func() { fmt.Fprintf(s.out, "%s: %s\n", whose(v.User, or(v.Name, v.ID)), says(v)) })
}

// held is what a device had waiting when it was heard last.
func held(v *wire.DeviceView) string {
	if v.Waiting == 0 {
		return "It had nothing waiting when it was heard last."
	}
	return fmt.Sprintf("It had %s waiting when it was heard last.", waiting(time.Now(), v))
}

type deviceBlockCmd struct{ deviceRef }

func (c *deviceBlockCmd) Help() string { return "Example:\n  landfall device block \"Emma's phone\"" }

// Run blocks a device.
func (c *deviceBlockCmd) Run(s *session) error {
	return s.control(c.ID, wire.ActBlock, func(v *wire.DeviceView) string {
		return v.State + ". It receives nothing from now on; what it hands in becomes issues. " + held(v)
	})
}

type deviceUnblockCmd struct{ deviceRef }

// Run lets a device in again.
func (c *deviceUnblockCmd) Run(s *session) error {
	return s.control(c.ID, wire.ActUnblock, func(v *wire.DeviceView) string {
		if v.State == "revoked" {
			return "not blocked, but its credential is void: its user signs in on it (landfall field signin)."
		}
		return v.State + ". What it handed in meanwhile: landfall issue retry"
	})
}

type deviceRetireCmd struct{ deviceRef }

func (c *deviceRetireCmd) Help() string {
	return "The device is asked to deliver what it has, as usual, and is blocked as soon as nothing is left on it.\nExample:\n  landfall device retire \"Emma's phone\""
}

// Run retires a device.
func (c *deviceRetireCmd) Run(s *session) error {
	return s.control(c.ID, wire.ActRetire, func(v *wire.DeviceView) string {
		if v.State == "blocked" {
			return "it is retired: it has delivered everything, and is blocked."
		}
		return "it is asked to deliver what it has, and is blocked when nothing is left on it. " + held(v)
	})
}

type deviceWipeCmd struct{ deviceRef }

func (c *deviceWipeCmd) Help() string {
	return "The device hands in what it has, which becomes issues, and erases itself then, at its next contact. One that is offline waits. To have its changes delivered as usual, retire it first.\nExample:\n  landfall device wipe \"Emma's phone\""
}

// Run wipes a device.
func (c *deviceWipeCmd) Run(s *session) error {
	return s.control(c.ID, wire.ActWipe, func(v *wire.DeviceView) string {
		if v.State == "wiped" {
			return "it has erased itself on " + when(v.WipedAt) + "."
		}
		return "it receives nothing from now on. At its next contact it hands in what it has, and erases itself. " + held(v)
	})
}

type deviceResyncCmd struct {
	ID   string `arg:"" optional:"" help:"Which device."`
	Role string `help:"The devices of everybody with this role." placeholder:"ROLE"`
	All  bool   `help:"All devices."`
}

func (c *deviceResyncCmd) Help() string {
	return "What waits on the devices stays there and is sent as usual.\nExample:\n  landfall device resync --role technician"
}

// Run asks for full syncs.
func (c *deviceResyncCmd) Run(s *session) error {
	if c.ID != "" && (c.Role != "" || c.All) {
		return landfall.Errorf(landfall.CodeInvalid, "a device, a role or all: one of them")
	}
	if c.ID != "" {
		return s.control(c.ID, wire.ActResync, func(*wire.DeviceView) string {
			return "its next contact begins a full sync; what waits on it stays."
		})
	}
	d, err := s.desk()
	if err != nil {
		return err
	}
	n, err := d.Resync(s.ctx, wire.Resync{Role: c.Role, All: c.All})
	if err != nil {
		return err
	}
	return s.show(n, fmt.Sprint(n.Number), func() {
		whose := "of everybody with the role " + c.Role
		if c.All {
			whose = "of everybody"
		}
		fmt.Fprintf(s.out, "The devices %s begin a full sync at their next contact, once each; what waits on them stays.\n", whose)
	})
}

type deviceRevokeCmd struct{ deviceRef }

// Run revokes a device.
func (c *deviceRevokeCmd) Run(s *session) error {
	return s.control(c.ID, wire.ActRevoke, func(v *wire.DeviceView) string {
		return "its credential is void. What is on it can still be handed in, and becomes issues; its user can sign in on it again. " + held(v)
	})
}
