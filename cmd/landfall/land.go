package main

import (
	"fmt"
	"os"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/internal/sealed"
)

type queueLandCmd struct {
	File string `arg:"" help:"The export of a device." type:"path"`
	passphraseFlag
}

func (c *queueLandCmd) Help() string {
	return "Hands in what a device exported, as that device and its user, by the same rules as if the device had sent it. It can be landed again, and the device can sync after all: nothing is applied twice. For administrators.\nExample:\n  landfall queue land phone.age"
}

// landed says what became of an export.
type landed struct {
	Device  string `json:"device"`
	User    string `json:"user"`
	Changes int    `json:"changes"`
	Applied int    `json:"applied"`
	Issues  int    `json:"issues"`
	Stored  int    `json:"stored,omitempty"` // their verdicts follow
	Forked  bool   `json:"forked,omitempty"`
}

// Run lands an export.
func (c *queueLandCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	x, err := c.open(s)
	if err != nil {
		return err
	}
	def, err := d.Definition(s.ctx)
	if err != nil {
		return err
	}
	pushes, err := x.Pushes(def.Limits)
	if err != nil {
		return err
	}
	out := &landed{Device: x.Replica, User: x.User}
	for _, body := range pushes {
		reply, err := d.Land(s.ctx, x.Replica, body)
		if err != nil {
			return err
		}
		if reply.Gap {
			return landfall.Errorf(landfall.CodeConflict, "the server expects change %d of this device, which is not in the file; %d %s landed", reply.Next, out.Changes, plural(out.Changes, "change was", "changes were")).
				WithHint("the server was restored to a time before it had that change: land an older export first, or let the device sync")
		}
		out.Forked = out.Forked || reply.Forked
		for i := range reply.Receipts {
			out.Changes++
			switch reply.Receipts[i].Result {
			case landfall.Applied:
				out.Applied++
			case landfall.Issued:
				out.Issues++
			default:
				out.Stored++
			}
		}
	}
	return s.show(out, out.Device, func() {
		fmt.Fprintf(s.out, "Landed %d %s of %s's device %s: %d applied, %d became issues.\n", out.Changes, plural(out.Changes, "change", "changes"), capital(out.User), out.Device, out.Applied, out.Issues)
		if out.Stored > 0 {
			fmt.Fprintf(s.out, "%d %s stored; the verdict follows: landfall inbox list --device %s\n", out.Stored, plural(out.Stored, "is", "are"), out.Device)
		}
		if out.Forked {
			fmt.Fprintln(s.out, "The server knew another history of this device: what differs is kept as issues of kind fork.")
		}
	})
}

// open reads the file. Nothing of it is used unless all of it is right.
func (c *queueLandCmd) open(s *session) (*client.Export, error) {
	f, err := os.Open(c.File)
	if err != nil {
		return nil, landfall.Errorf(landfall.CodeInvalid, "the export can't be read: %v", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	pass, err := c.read(s, "Passphrase of the file: ")
	if err != nil {
		return nil, err
	}
	plain, err := sealed.Open(f, pass)
	if err != nil {
		return nil, err
	}
	return client.ReadExport(plain)
}
