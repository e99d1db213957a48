package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/desk"
)

// signedIn is one signed-in person at one server.
type signedIn struct {
	User   string `json:"user"`
	Server string `json:"server"`
	Token  string `json:"token"`
}

// contexts are the people signed in on this computer, the current one first.
type contexts struct {
	People []signedIn `json:"people"`
}

func contextsFile() (string, error) {
	dir := os.Getenv("LANDFALL_CONFIG_DIR")
	if dir == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return "", landfall.Errorf(landfall.CodeInvalid, "there is no folder for settings: %v", err).WithHint("set LANDFALL_CONFIG_DIR")
		}
		dir = filepath.Join(base, "landfall")
	}
	return filepath.Join(dir, "contexts.json"), nil
}

func loadContexts() (*contexts, error) {
	path, err := contextsFile()
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return &contexts{}, nil
	}
	if err != nil {
		return nil, err
	}
	c := &contexts{}
	if err := json.Unmarshal(b, c); err != nil {
		return nil, landfall.Errorf(landfall.CodeInvalid, "%s can't be read", path).WithHint("remove it and sign in again")
	}
	return c, nil
}

// save writes the file whole, readable for its owner alone.
func (c *contexts) save() error {
	path, err := contextsFile()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "contexts-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func (c *contexts) put(p signedIn) {
	c.drop(p.User)
	c.People = append([]signedIn{p}, c.People...)
}

func (c *contexts) drop(user string) {
	c.People = slices.DeleteFunc(c.People, func(p signedIn) bool { return p.User == user })
}

// desk is the back office as the signed-in person.
func (s *session) desk() (*desk.Desk, error) {
	c, err := loadContexts()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range c.People {
		if s.opts.As == "" || p.User == s.opts.As {
			return desk.New(p.Server, p.Token), nil
		}
		names = append(names, p.User)
	}
	if s.opts.As != "" && len(names) > 0 {
		return nil, landfall.Errorf(landfall.CodeUnauthorized, "%s is not signed in here", s.opts.As).WithHint("signed in: %v; sign in with: landfall login URL --user %s", names, s.opts.As)
	}
	return nil, landfall.Errorf(landfall.CodeUnauthorized, "nobody is signed in").WithHint("sign in with: landfall login URL --user NAME")
}
