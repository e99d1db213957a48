package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/internal/sealed"
)

type passphraseFlag struct {
	PassphraseStdin bool `help:"Read the passphrase of the file from standard input."`
}

// passphrase reads the passphrase of a file.
func (f *passphraseFlag) read(s *session, prompt string) (string, error) {
	p, err := s.password(f.PassphraseStdin, prompt)
	if landfall.CodeOf(err) == landfall.CodeInvalid && err != nil {
		return "", landfall.Errorf(landfall.CodeInvalid, "a passphrase is needed").WithHint("add --passphrase-stdin and give it on standard input")
	}
	return p, err
}

type fieldExportCmd struct {
	Out string `help:"Where to write it." required:"" type:"path" placeholder:"FILE"`
	passphraseFlag
}

func (c *fieldExportCmd) Help() string {
	return "The file holds what was entered on the device and not sent, encrypted with a passphrase. An administrator lands it: landfall queue land FILE. The device can go on, and sync: nothing is applied twice.\nExample:\n  landfall field -C phone export --out phone.age"
}

// Run exports the outbox.
func (c *fieldExportCmd) Run(s *session) error {
	return s.device(0, func(cl *client.Client) error {
		x, err := s.export(cl, c.Out, &c.passphraseFlag)
		if err != nil {
			return err
		}
		return s.show(map[string]any{"file": c.Out, "unsent": x.Unsent(), "changes": len(x.Entries)}, c.Out, func() {
			fmt.Fprintf(s.out, "%s holds %d %s not sent. An administrator lands it: landfall queue land %s\n", c.Out, x.Unsent(), plural(x.Unsent(), "change that was", "changes that were"), filepath.Base(c.Out))
		})
	})
}

// export writes the outbox to a new file, whole or not at all.
func (s *session) export(cl *client.Client, path string, f *passphraseFlag) (*client.Export, error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, landfall.Errorf(landfall.CodeConflict, "%s is there already", path).WithHint("choose another name: it may be an export that nobody has landed yet")
	}
	pass, err := f.read(s, "Passphrase for the file: ")
	if err != nil {
		return nil, err
	}
	x, err := cl.Export(s.ctx)
	if err != nil {
		return nil, err
	}
	if err := writeSealed(path, pass, x.Write); err != nil {
		if landfall.CodeOf(err) == landfall.CodeInvalid {
			return nil, err
		}
		return nil, landfall.Errorf(landfall.CodeUnavailable, "%s can't be written: %v", path, err).WithHint("nothing was removed from the device")
	}
	return x, nil
}

// writeSealed puts a file in place once all of it is on the disk.
func writeSealed(path, passphrase string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".landfall-export-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	buffered := bufio.NewWriter(f)
	w, err := sealed.Seal(buffered, passphrase)
	if err != nil {
		return err
	}
	if err := write(w); err != nil {
		return err
	}
	if err := errors.Join(w.Close(), buffered.Flush(), f.Sync()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil { // never over another file
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()), syncFolder(filepath.Dir(path)))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

type fieldLogoutCmd struct {
	Export  string `help:"Write what was not sent to this file first, encrypted, for an administrator to land." type:"path" placeholder:"FILE"`
	Discard bool   `help:"Throw away what was not sent; the server is told that it is lost."`
	passphraseFlag
}

func (c *fieldLogoutCmd) Help() string {
	return "Refused with work that was not sent, unless that is exported or thrown away.\nExample:\n  landfall field -C phone logout --export phone.age"
}

// Run removes the device's data.
func (c *fieldLogoutCmd) Run(s *session) error {
	if c.Export != "" && c.Discard {
		return landfall.Errorf(landfall.CodeInvalid, "what was not sent is exported or thrown away, not both")
	}
	return s.device(0, func(cl *client.Client) error {
		says := ""
		switch {
		case c.Export != "":
			x, err := s.export(cl, c.Export, &c.passphraseFlag)
			if err != nil {
				return err
			}
			says = fmt.Sprintf(" %s holds %d %s not sent: landfall queue land %s", c.Export, x.Unsent(), plural(x.Unsent(), "change that was", "changes that were"), filepath.Base(c.Export))
		case c.Discard:
			n, err := cl.Discard(s.ctx)
			if n > 0 {
				says = fmt.Sprintf(" %d %s thrown away", n, plural(n, "change was", "changes were"))
				if err == nil {
					says += ", and the server knows that they are lost."
				} else {
					says += "; the server could not be told: " + err.Error()
				}
			}
		}
		if err := cl.Logout(s.ctx, c.Export != "" || c.Discard); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "The device's data is removed.%s\n", says)
		return nil
	})
}
