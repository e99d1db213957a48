package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/memory"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

// syncEvery is how many orders a device of the demo handles between two syncs.
const syncEvery = 25

// SeedFieldService adds the people of the field-service app, and about four
// thousand records: sites, assets, spare parts and weeks of work orders with their
// visits and the parts used. Some of what technicians did was refused: those are open
// sync issues of three causes.
func SeedFieldService(ctx context.Context, url string, progress func(done, of int)) error {
	now := time.Now()
	s := &fieldSeeding{
		seeding: seeding{ctx: ctx, url: url, rnd: rand.New(rand.NewPCG(5, 23)), desks: map[string]*desk.Desk{}}, //nolint:gosec // the same data each time is the point
		today:   time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC), tell: progress,
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"people", s.crew}, {"spare parts", s.articles}, {"sites", s.sites}, {"assets", s.assets}, {"work orders", s.orders},
		{"plan", s.plan}, {"work", s.work}, {"end of the work", s.close},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("the demo's %s: %w", step.what, err)
		}
	}
	return nil
}

type fieldSeeding struct {
	seeding
	today    time.Time
	tell     func(done, of int)
	parts    []seededPart
	places   []seededSite
	machines []seededAsset
	jobs     []*job
	late     map[string]*client.Client // phones with work that comes late
}

type seededPart struct{ id, fits string }

type seededSite struct{ id, team, phone string }

type seededAsset struct {
	id   string
	kind int
	site int
}

// job is one work order on its way.
type job struct {
	id, technician string
	kind           int
	day            int // from today
	planned        bool
	done           bool
}

// id is a new record's; the same each time.
func (s *fieldSeeding) id() string {
	a, b := s.rnd.Uint64(), s.rnd.Uint64()
	return fmt.Sprintf("0198c3aa-%04x-7%03x-8%03x-%012x", a&0xffff, a>>16&0xfff, a>>32&0xfff, b&0xffffffffffff)
}

// step tells that some records more are there.
func (s *fieldSeeding) step(n int) {
	const of = siteCount + assetCount + 3*orderCount
	s.done = min(s.done+n, of)
	s.tell(s.done, of)
}

func (s *fieldSeeding) pick(n int) int { return s.rnd.IntN(n) }

func (s *fieldSeeding) date(day int) landfall.Value {
	return quote(s.today.AddDate(0, 0, day).Format(time.DateOnly))
}

func (s *fieldSeeding) moment(day, hour, minute int) landfall.Value {
	return quote(s.today.AddDate(0, 0, day).Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute).Format(time.RFC3339))
}

func (s *fieldSeeding) crew() error {
	ada, err := s.desk(Admin)
	if err != nil {
		return err
	}
	if _, err := ada.ChangeUser(s.ctx, Admin, wire.UserChange{Title: ptr("Ada Marchetti"), Revoke: []string{"dispatcher", "technician", "lead", "storekeeper"}}); err != nil {
		return err
	}
	for _, t := range crewTeams {
		if _, err := ada.AddTeam(s.ctx, wire.Team{Name: t.name, Title: t.title}); err != nil {
			return err
		}
	}
	for _, p := range Crew {
		u := wire.NewUser{Name: p.Name, Title: p.Title, Password: Password, Roles: []string{p.Role}}
		for _, t := range crewTeams {
			if slices.Contains(t.technicians, p.Name) {
				u.Teams = append(u.Teams, t.name)
			}
		}
		if _, err := ada.AddUser(s.ctx, u); err != nil {
			return err
		}
	}
	return nil
}

// bring imports records as somebody, some at a time.
func (s *fieldSeeding) bring(who, typ string, rows []wire.ImportRow) error {
	d, err := s.desk(who)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(rows, 250) {
		in, err := d.Import(s.ctx, typ, wire.Import{Rows: some})
		if err != nil {
			return err
		}
		for _, r := range in.Rows {
			if r.Result == wire.ImportRefused {
				return landfall.Errorf(landfall.CodeInternal, "the %s in line %d was refused: %v", typ, r.Line, r.Messages)
			}
		}
		s.step(len(some))
	}
	return nil
}

func (s *fieldSeeding) articles() error {
	var rows []wire.ImportRow
	for i, p := range spareParts {
		id := s.id()
		s.parts = append(s.parts, seededPart{id, p.fits})
		rows = append(rows, wire.ImportRow{Line: i + 1, ID: id, Set: landfall.Fields{
			"name": quote(p.name), "article_number": quote(p.number), "price": quote(p.price), "stock": whole(5 + s.pick(60)), "fits": landfall.Value(`["` + p.fits + `"]`),
		}})
	}
	return s.bring("olga", "article", rows)
}

func whole(n int) landfall.Value { return landfall.Value(strconv.Itoa(n)) }

func (s *fieldSeeding) sites() error {
	var rows []wire.ImportRow
	for i := range siteCount {
		city, id := cities[i%len(cities)], s.id()
		phone := fmt.Sprintf("+49 40 %07d", 1_000_000+s.pick(8_999_999))
		s.places = append(s.places, seededSite{id, city.team, phone})
		set := landfall.Fields{
			"name": quote(siteNames[i%len(siteNames)] + ", " + city.name), "street": quote(fmt.Sprintf("%s %d", streets[s.pick(len(streets))], 1+s.pick(120))),
			"postcode": quote(city.postcode), "city": quote(city.name), "team": quote(city.team), "contact": quote(contacts[s.pick(len(contacts))]), "phone": quote(phone),
			"access": quote(accessNotes[s.pick(len(accessNotes))]),
			"place":  landfall.Value(fmt.Sprintf(`{"lat":%.4f,"lon":%.4f}`, city.lat+float64(s.pick(400)-200)/10_000, city.lon+float64(s.pick(400)-200)/10_000)),
		}
		rows = append(rows, wire.ImportRow{Line: i + 1, ID: id, Set: set})
	}
	return s.bring("dina", "site", rows)
}

func (s *fieldSeeding) assets() error {
	var rows []wire.ImportRow
	for i := range assetCount {
		kind, site, id := s.pick(len(assetKinds)), i%siteCount, s.id()
		k := assetKinds[kind]
		s.machines = append(s.machines, seededAsset{id, kind, site})
		installed := -200 - s.pick(4_000)
		rows = append(rows, wire.ImportRow{Line: i + 1, ID: id, Set: landfall.Fields{
			"name": quote(k.name), "kind": quote(k.kind), "site": quote(s.places[site].id), "serial": quote(fmt.Sprintf("%s-%04d-%04d", k.mark, 1000+i, s.pick(10_000))),
			"installed": s.date(installed), "warranty_until": s.date(installed + 730), "floor": quote([]string{"Basement", "Ground floor", "1st floor", "2nd floor", "Roof"}[s.pick(5)]),
		}})
	}
	return s.bring("dina", "asset", rows)
}

// orders are those of eight weeks: six that were, and two that come.
func (s *fieldSeeding) orders() error {
	var rows []wire.ImportRow
	for i := range orderCount {
		m := s.machines[s.pick(len(s.machines))]
		kind, site := assetKinds[m.kind], s.places[m.site]
		j := &job{id: s.id(), kind: m.kind, day: i*56/orderCount - 42}
		team := crewTeams[slices.IndexFunc(crewTeams, func(t struct {
			name, title string
			technicians []string
		}) bool {
			return t.name == site.team
		})]
		j.technician = team.technicians[s.pick(len(team.technicians))]
		what, title := "repair", kind.faults[s.pick(len(kind.faults))]
		if s.pick(3) == 0 {
			what, title = "maintenance", "Maintenance: "+kind.name
		}
		s.jobs = append(s.jobs, j)
		rows = append(rows, wire.ImportRow{Line: i + 1, ID: j.id, Set: landfall.Fields{
			"title": quote(title), "kind": quote(what), "priority": quote([]string{"low", "normal", "normal", "high", "emergency"}[s.pick(5)]),
			"site": quote(site.id), "asset": quote(m.id), "team": quote(site.team), "phone": quote(site.phone), "due": s.moment(j.day+3, 16, 0),
			"problem": quote("Reported by " + contacts[s.pick(len(contacts))] + "."),
		}})
	}
	return s.bring("dina", "work_order", rows)
}

// phone enrols a device for somebody.
func (s *fieldSeeding) phone(user string) (*client.Client, error) {
	title := user
	for _, p := range Crew {
		if p.Name == user {
			title = p.Title
		}
	}
	return enrol(s.ctx, s.desks[Admin], s.url, user, title+"'s phone", memory.New())
}

// through sends what the phone has; the seed's own changes must all be applied.
func (s *fieldSeeding) through(phone *client.Client) error {
	r, err := phone.Sync(s.ctx, nil)
	if err != nil || r.Issues == 0 {
		return err
	}
	log, err := phone.Log(s.ctx)
	if err != nil || len(log) == 0 {
		return err
	}
	return landfall.Errorf(landfall.CodeInternal, "%d changes became issues, the first: %+v", r.Issues, log[0])
}

// batches calls do for each job, and syncs the phone now and then.
func (s *fieldSeeding) batches(phone *client.Client, jobs []*job, do func(i int, j *job) error) error {
	for i, j := range jobs {
		if err := do(i, j); err != nil {
			return err
		}
		s.step(1)
		if (i+1)%syncEvery == 0 {
			if err := s.through(phone); err != nil {
				return err
			}
		}
	}
	return s.through(phone)
}

// plan has the dispatcher plan nearly all orders, and cancel a few.
func (s *fieldSeeding) plan() error {
	phone, err := s.phone("dina")
	if err != nil {
		return err
	}
	return s.batches(phone, s.jobs, func(i int, j *job) error {
		switch {
		case i%23 == 11:
			return phone.Move(s.ctx, j.id, "cancel", landfall.Fields{"reason": quote(cancelReasons[s.pick(len(cancelReasons))])})
		case j.day > 5 && i%2 == 0:
			return nil // new, in the queue of the dispatchers
		}
		j.planned = true
		return phone.Move(s.ctx, j.id, "plan", landfall.Fields{"technician": quote(j.technician), "planned_for": s.date(j.day)})
	})
}

// work has the technicians do what is planned up to today.
func (s *fieldSeeding) work() error {
	s.late = map[string]*client.Client{}
	for _, t := range crewTeams {
		for _, name := range t.technicians {
			phone, err := s.phone(name)
			if err != nil {
				return err
			}
			mine := slices.DeleteFunc(slices.Clone(s.jobs), func(j *job) bool { return !j.planned || j.technician != name || j.day > 0 })
			if err := s.batches(phone, mine, func(i int, j *job) error { return s.attend(phone, i, j) }); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			s.late[name] = phone
		}
	}
	return nil
}

// attend is a technician's work on one order: one visit, for some two, with parts.
func (s *fieldSeeding) attend(phone *client.Client, i int, j *job) error {
	if err := phone.Move(s.ctx, j.id, "begin", nil); err != nil {
		return err
	}
	open := j.day > -4 && i%2 == 0
	for n := range 1 + s.pick(5)/4 {
		hour, quarters := 7+s.pick(8), 2+s.pick(12)
		visit, err := phone.Create(s.ctx, "visit", landfall.Fields{"work_order": quote(j.id), "technician": quote(j.technician), "starts": s.moment(j.day+n, hour, 0)})
		if err != nil {
			return err
		}
		if err := phone.Move(s.ctx, visit, "arrive", nil); err != nil {
			return err
		}
		if open {
			return nil
		}
		ends := landfall.Fields{"hours": quote(strconv.FormatFloat(float64(quarters)/4, 'f', -1, 64)), "ends": s.moment(j.day+n, hour, quarters*15)}
		if err := phone.Move(s.ctx, visit, "leave", ends); err != nil {
			return err
		}
	}
	fitting := slices.DeleteFunc(slices.Clone(s.parts), func(p seededPart) bool { return p.fits != assetKinds[j.kind].kind })
	for range s.pick(3) {
		used := landfall.Fields{"work_order": quote(j.id), "article": quote(fitting[s.pick(len(fitting))].id), "quantity": whole(1 + s.pick(3))}
		if _, err := phone.Create(s.ctx, "material", used); err != nil {
			return err
		}
	}
	j.done = true
	return phone.Move(s.ctx, j.id, "finish", landfall.Fields{"report": quote(reports[s.pick(len(reports))])})
}

// close has the lead close most of what is done. Meanwhile each technician does
// something that is refused.
func (s *fieldSeeding) close() error {
	lea, err := s.phone("lea")
	if err != nil {
		return err
	}
	done := slices.DeleteFunc(slices.Clone(s.jobs), func(j *job) bool { return !j.done })
	closed := map[string]*job{}
	err = s.batches(lea, done, func(i int, j *job) error {
		if i%6 == 5 {
			return nil // waits for the lead
		}
		closed[j.technician] = j
		return lea.Move(s.ctx, j.id, "close", nil)
	})
	if err != nil {
		return err
	}
	for _, t := range crewTeams {
		for _, name := range t.technicians {
			phone, j := s.late[name], closed[name]
			if j == nil {
				continue
			}
			if err := s.refused(phone, j, name == "tim"); err != nil {
				return err
			}
		}
	}
	s.step(5 * orderCount) // all there is
	return nil
}

// refused is what a technician does out of sight: more for the report of an order
// that was closed meanwhile, a telephone number that is not theirs to change, and,
// if they are that sort, an asset that is there already.
func (s *fieldSeeding) refused(phone *client.Client, j *job, twice bool) error {
	order, err := phone.Get(s.ctx, j.id)
	if err != nil {
		return err
	}
	if err := phone.Update(s.ctx, j.id, landfall.Fields{"report": quote("The customer called: it happened again.")}); err != nil {
		return err
	}
	site, err := strconv.Unquote(string(order.Record.Fields["site"]))
	if err != nil {
		return err
	}
	if err := phone.Update(s.ctx, site, landfall.Fields{"phone": quote("+49 40 7654321")}); err != nil {
		return err
	}
	if twice {
		if err := s.again(phone, order.Record); err != nil {
			return err
		}
	}
	_, err = phone.Sync(s.ctx, nil)
	return err
}

// again enters the asset of an order once more.
func (s *fieldSeeding) again(phone *client.Client, order *landfall.Record) error {
	id, err := strconv.Unquote(string(order.Fields["asset"]))
	if err != nil {
		return err
	}
	asset, err := phone.Get(s.ctx, id)
	if err != nil {
		return err
	}
	set := landfall.Fields{}
	for _, name := range []string{"name", "kind", "site", "serial"} {
		set[name] = asset.Record.Fields[name]
	}
	_, err = phone.Create(s.ctx, "asset", set)
	return err
}
