package main

import (
	"fmt"
	"strings"

	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/server"
)

type fieldSigninCmd struct {
	Code          string `help:"A one-time code." placeholder:"CODE"`
	PasswordStdin bool   `help:"Read the password of the device's user from standard input."`
}

func (c *fieldSigninCmd) Help() string {
	return "With a one-time code, or with the password of the device's user. The device stays what it was, with everything on it: after its credential was revoked, or when the server was restored to a time before it enrolled.\nExample:\n  landfall field -C phone signin"
}

// Run gives the device a credential again.
func (c *fieldSigninCmd) Run(s *session) error {
	if err := s.isDevice(); err != nil {
		return err
	}
	return s.storage(func(st client.Storage) error { return c.signIn(s, st) })
}

func (c *fieldSigninCmd) signIn(s *session, st client.Storage) error {
	token := ""
	url, _, err := client.Credential(s.ctx, st)
	if err != nil {
		return err
	}
	cl, err := client.Open(s.ctx, client.Options{Storage: st, Transport: client.NewHTTP(url, func() string { return token }), Program: "landfall " + server.Version})
	if err != nil {
		return err
	}
	_, user, replica, err := cl.Identity(s.ctx)
	if err != nil {
		return err
	}
	if c.Code == "" {
		pw, err := s.password(c.PasswordStdin, "Password of "+user+": ")
		if err != nil {
			return err
		}
		in, err := desk.SignIn(s.ctx, url, user, pw)
		if err != nil {
			return err
		}
		token = in.Token
		defer func() { _ = desk.New(url, in.Token).SignOut(s.ctx) }() // it ends by itself, too
	}
	if err := cl.SignIn(s.ctx, strings.TrimSpace(c.Code)); err != nil {
		return err
	}
	return s.show(map[string]string{"replica": replica, "user": user, "server": url}, replica, func() {
		fmt.Fprintf(s.out, "%s's device is let in again. Send what it holds: landfall field -C %s sync\n", capital(user), s.dir)
	})
}
