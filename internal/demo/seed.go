package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/memory"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

// reportsEach is how many reports each employee has.
const reportsEach = 40

// Seed adds the people and their reports to a server that has Ada alone. The
// same server gets the same people, reports and amounts each time; progress is
// told as it goes.
func Seed(ctx context.Context, url string, progress func(done, of int)) error {
	s := &seeding{ctx: ctx, url: url, rnd: rand.New(rand.NewPCG(7, 11)), progress: progress, desks: map[string]*desk.Desk{}} //nolint:gosec // the same data each time is the point
	if err := s.people(); err != nil {
		return fmt.Errorf("the demo's people: %w", err)
	}
	for _, p := range People {
		if p.Role == "employee" {
			if err := s.reports(p); err != nil {
				return fmt.Errorf("the reports of %s: %w", p.Name, err)
			}
		}
	}
	return nil
}

// Desk signs somebody in.
func Desk(ctx context.Context, url, name string) (*desk.Desk, error) {
	in, err := desk.SignIn(ctx, url, name, Password)
	if err != nil {
		return nil, err
	}
	return desk.New(url, in.Token), nil
}

type seeding struct {
	ctx      context.Context
	url      string
	rnd      *rand.Rand
	progress func(done, of int)
	done     int
	desks    map[string]*desk.Desk
}

func (s *seeding) desk(name string) (*desk.Desk, error) {
	if d := s.desks[name]; d != nil {
		return d, nil
	}
	d, err := Desk(s.ctx, s.url, name)
	s.desks[name] = d
	return d, err
}

func (s *seeding) people() error {
	ada, err := s.desk(Admin)
	if err != nil {
		return err
	}
	if _, err := ada.ChangeUser(s.ctx, Admin, wire.UserChange{Title: ptr("Ada Marchetti"), Revoke: []string{"employee", "manager"}}); err != nil {
		return err
	}
	for _, p := range People {
		if _, err := ada.AddUser(s.ctx, wire.NewUser{Name: p.Name, Title: p.Title, Password: Password, Roles: []string{p.Role}}); err != nil {
			return err
		}
	}
	return nil
}

func ptr[T any](v T) *T { return &v }

// Phone enrols a device for somebody, on the storage.
func Phone(ctx context.Context, url, user, name string, st client.Storage) (*client.Client, error) {
	ada, err := Desk(ctx, url, Admin)
	if err != nil {
		return nil, err
	}
	return enrol(ctx, ada, url, user, name, st)
}

func enrol(ctx context.Context, ada *desk.Desk, url, user, name string, st client.Storage) (*client.Client, error) {
	code, err := ada.NewCode(ctx, wire.NewCode{User: user, Name: name})
	if err != nil {
		return nil, err
	}
	credential := ""
	c, err := client.Open(ctx, client.Options{Storage: st, Transport: client.NewHTTP(url, func() string { return credential }), Program: "landfall demo"})
	if err != nil {
		return nil, err
	}
	if err := c.Enrol(ctx, url, code.Code, name); err != nil {
		return nil, err
	}
	if _, credential, err = client.Credential(ctx, st); err != nil {
		return nil, err
	}
	_, err = c.Sync(ctx, nil)
	return c, err
}

// reports makes somebody's reports on a device of theirs, and has managers
// decide them, so that each status has some. A few were changed on the device
// after they were decided: those are open sync issues.
func (s *seeding) reports(p Person) error {
	phone, err := enrol(s.ctx, s.desks[Admin], s.url, p.Name, p.Title+"'s phone", memory.New())
	if err != nil {
		return err
	}
	var ids []string
	for range reportsEach {
		id, err := s.report(phone)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	for i, id := range ids {
		if i%5 > 0 { // one in five stays a draft
			if err := phone.Move(s.ctx, id, "submit", nil); err != nil {
				return err
			}
		}
	}
	if _, err := phone.Sync(s.ctx, nil); err != nil {
		return err
	}
	if err := phone.SetNetwork(s.ctx, false); err != nil {
		return err
	}
	for i, id := range ids {
		if err := s.decide(i, id); err != nil {
			return err
		}
		s.done++
		s.progress(s.done, reportsEach*10)
	}
	return s.late(phone, p, ids)
}

func (s *seeding) report(phone *client.Client) (string, error) {
	t := trips[s.rnd.IntN(len(trips))]
	amount := fmt.Sprintf("%d.%02d", t.least+s.rnd.IntN(t.most-t.least), 5*s.rnd.IntN(20))
	set := landfall.Fields{"purpose": quote(t.purpose), "amount": quote(amount), "currency": quote(t.currency)}
	return phone.Create(s.ctx, "expense", set)
}

func quote(s string) landfall.Value { return landfall.Value(strconv.Quote(s)) }

// decide has a manager approve two of five and reject one.
func (s *seeding) decide(i int, id string) error {
	manager, err := s.desk([]string{"mara", "tomasz"}[i%2])
	if err != nil {
		return err
	}
	switch i % 5 {
	case 1, 2:
		_, err = manager.Do(s.ctx, wire.Do{Op: landfall.OpTransition, Type: "expense", ID: id, Transition: "approve"})
	case 3:
		why := rejections[s.rnd.IntN(len(rejections))]
		_, err = manager.Do(s.ctx, wire.Do{Op: landfall.OpTransition, Type: "expense", ID: id, Transition: "reject", Set: landfall.Fields{"notes": quote(why)}})
	}
	return err
}

// late changes a decided report on some phones that have not heard of it.
func (s *seeding) late(phone *client.Client, p Person, ids []string) error {
	late := map[string]string{"jonas": "the receipt says 12 more", "priya": "paid in two parts", "oskar": "breakfast was not included", "hana": "taxi both ways"}
	if err := phone.SetNetwork(s.ctx, true); err != nil {
		return err
	}
	if note := late[p.Name]; note != "" {
		if err := phone.Update(s.ctx, ids[6], landfall.Fields{"notes": quote(note), "amount": quote(strconv.Itoa(100 + s.rnd.IntN(200)))}); err != nil {
			return err
		}
	}
	_, err := phone.Sync(s.ctx, nil)
	return err
}
