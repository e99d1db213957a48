package main

import (
	"fmt"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

type loginCmd struct {
	URL           string `arg:"" help:"Address of the server."`
	User          string `help:"Who signs in." required:"" placeholder:"NAME"`
	PasswordStdin bool   `help:"Read the password from standard input."`
}

func (c *loginCmd) Help() string {
	return "Example:\n  landfall login http://127.0.0.1:8080 --user ada --password-stdin <pw"
}

// Run signs in and remembers it.
func (c *loginCmd) Run(s *session) error {
	pw, err := s.password(c.PasswordStdin, "Password of "+c.User+": ")
	if err != nil {
		return err
	}
	in, err := desk.SignIn(s.ctx, c.URL, c.User, pw)
	if err != nil {
		return err
	}
	all, err := loadContexts()
	if err != nil {
		return err
	}
	all.put(signedIn{User: in.Actor.User, Server: strings.TrimRight(c.URL, "/"), Token: in.Token})
	if err := all.save(); err != nil {
		return err
	}
	in.Token = ""
	return s.show(in, in.Actor.User, func() {
		fmt.Fprintf(s.out, "%s is signed in to %s as %s.\n", capital(in.Actor.User), in.Workspace, strings.Join(in.Actor.Roles, ", "))
	})
}

type logoutCmd struct{}

func (c *logoutCmd) Help() string { return "Example:\n  landfall --as ada logout" }

// Run signs out here and at the server.
func (c *logoutCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	me, err := d.Me(s.ctx)
	if err != nil && landfall.CodeOf(err) != landfall.CodeUnauthorized {
		return err
	}
	if err == nil {
		if err := d.SignOut(s.ctx); err != nil {
			return err
		}
	}
	all, err := loadContexts()
	if err != nil {
		return err
	}
	name := s.opts.As
	if name == "" && me != nil {
		name = me.User
	}
	if name == "" && len(all.People) > 0 {
		name = all.People[0].User
	}
	all.drop(name)
	if err := all.save(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s is signed out.\n", capital(name))
	return nil
}

type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Add a user."`
	List     userListCmd     `cmd:"" help:"List users."`
	Grant    userGrantCmd    `cmd:"" help:"Give roles."`
	Revoke   userRevokeCmd   `cmd:"" help:"Take roles away."`
	Disable  userDisableCmd  `cmd:"" help:"Keep a user from signing in; their devices can still hand in."`
	Enable   userEnableCmd   `cmd:"" help:"Let a user in again."`
	Password userPasswordCmd `cmd:"" help:"Set a password; it ends the user's other sessions."`
}

type userAddCmd struct {
	Name          string   `arg:"" help:"Name to sign in with."`
	Title         string   `help:"Name as people write it."`
	Role          []string `help:"A role; may be repeated." placeholder:"ROLE"`
	Team          []string `help:"A team; may be repeated." placeholder:"TEAM"`
	PasswordStdin bool     `help:"Read the password from standard input. Without one, the user can use devices only."`
}

func (c *userAddCmd) Help() string {
	return "Example:\n  landfall user add emma --role employee --password-stdin <pw"
}

// Run adds a user.
func (c *userAddCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	pw := ""
	if c.PasswordStdin {
		if pw, err = s.password(true, ""); err != nil {
			return err
		}
	}
	u, err := d.AddUser(s.ctx, wire.NewUser{Name: c.Name, Title: c.Title, Password: pw, Roles: c.Role, Teams: c.Team})
	if err != nil {
		return err
	}
	return s.user(u)
}

func (s *session) user(u *wire.UserView) error {
	return s.show(u, u.Name, func() {
		state := ""
		if u.Disabled {
			state = "; disabled"
		}
		fmt.Fprintf(s.out, "%s: %s%s%s\n", u.Name, or(strings.Join(u.Roles, ", "), "no role"), teams(u.Teams), state)
	})
}

func teams(t []string) string {
	if len(t) == 0 {
		return ""
	}
	return "; teams " + strings.Join(t, ", ")
}

func or(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

type userListCmd struct{ pageFlags }

func (c *userListCmd) Help() string { return "Example:\n  landfall user list" }

// Run lists users.
func (c *userListCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	l, err := d.Users(s.ctx, desk.Filter{Limit: c.Limit, After: c.After})
	if err != nil {
		return err
	}
	return page(s, l, func(u *wire.UserView) string { return u.Name }, "There are no users.", []string{"NAME", "TITLE", "ROLES", "TEAMS", ""}, func(u *wire.UserView) []string {
		state := ""
		if u.Disabled {
			state = "disabled"
		}
		return []string{u.Name, u.Title, strings.Join(u.Roles, ", "), strings.Join(u.Teams, ", "), state}
	})
}

func (s *session) changeUser(name string, c wire.UserChange) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	u, err := d.ChangeUser(s.ctx, name, c)
	if err != nil {
		return err
	}
	return s.user(u)
}

type userGrantCmd struct {
	Name string   `arg:"" help:"Who."`
	Role []string `arg:"" help:"Roles."`
}

func (c *userGrantCmd) Help() string { return "Example:\n  landfall user grant emma manager" }

// Run gives roles.
func (c *userGrantCmd) Run(s *session) error {
	return s.changeUser(c.Name, wire.UserChange{Grant: c.Role})
}

type userRevokeCmd struct {
	Name string   `arg:"" help:"Who."`
	Role []string `arg:"" help:"Roles."`
}

func (c *userRevokeCmd) Help() string { return "Example:\n  landfall user revoke ada employee" }

// Run takes roles away.
func (c *userRevokeCmd) Run(s *session) error {
	return s.changeUser(c.Name, wire.UserChange{Revoke: c.Role})
}

type userDisableCmd struct {
	Name string `arg:"" help:"Who."`
}

// Run disables a user.
func (c *userDisableCmd) Run(s *session) error {
	yes := true
	return s.changeUser(c.Name, wire.UserChange{Disabled: &yes})
}

type userEnableCmd struct {
	Name string `arg:"" help:"Who."`
}

// Run enables a user.
func (c *userEnableCmd) Run(s *session) error {
	no := false
	return s.changeUser(c.Name, wire.UserChange{Disabled: &no})
}

type userPasswordCmd struct {
	Name          string `arg:"" help:"Whose."`
	PasswordStdin bool   `help:"Read the password from standard input."`
}

func (c *userPasswordCmd) Help() string {
	return "Example:\n  landfall user password emma --password-stdin <pw"
}

// Run sets a password.
func (c *userPasswordCmd) Run(s *session) error {
	pw, err := s.password(c.PasswordStdin, "New password of "+c.Name+": ")
	if err != nil {
		return err
	}
	return s.changeUser(c.Name, wire.UserChange{Password: &pw})
}

type teamCmd struct {
	Add   teamAddCmd   `cmd:"" help:"Add a team."`
	List  teamListCmd  `cmd:"" help:"List teams."`
	Join  teamJoinCmd  `cmd:"" help:"Put a user into a team."`
	Leave teamLeaveCmd `cmd:"" help:"Take a user out of a team."`
}

type teamAddCmd struct {
	Name  string `arg:"" help:"Name of the team."`
	Title string `help:"Name as people write it."`
}

func (c *teamAddCmd) Help() string { return "Example:\n  landfall team add north --title North" }

// Run adds a team.
func (c *teamAddCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	t, err := d.AddTeam(s.ctx, wire.Team{Name: c.Name, Title: c.Title})
	if err != nil {
		return err
	}
	return s.show(t, t.Name, func() { fmt.Fprintf(s.out, "The team %s is there.\n", t.Name) })
}

type teamListCmd struct{}

// Run lists teams.
func (c *teamListCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	l, err := d.Teams(s.ctx)
	if err != nil {
		return err
	}
	return page(s, l, func(t *wire.Team) string { return t.Name }, "There are no teams. Add one: landfall team add NAME", []string{"NAME", "TITLE"}, func(t *wire.Team) []string { return []string{t.Name, t.Title} })
}

type teamJoinCmd struct {
	Team string `arg:"" help:"Which team."`
	User string `arg:"" help:"Who."`
}

func (c *teamJoinCmd) Help() string { return "Example:\n  landfall team join north emma" }

// Run puts a user into a team.
func (c *teamJoinCmd) Run(s *session) error {
	return s.changeUser(c.User, wire.UserChange{Join: []string{c.Team}})
}

type teamLeaveCmd struct {
	Team string `arg:"" help:"Which team."`
	User string `arg:"" help:"Who."`
}

// Run takes a user out of a team.
func (c *teamLeaveCmd) Run(s *session) error {
	return s.changeUser(c.User, wire.UserChange{Leave: []string{c.Team}})
}
