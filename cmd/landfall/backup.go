package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/landfall-sync/landfall/server"
)

type backupCmd struct {
	File string `arg:"" help:"File to write, or a folder, for a file named by the time." type:"path"`
	Data string `help:"Folder of the data." required:"" type:"path" env:"LANDFALL_DATA" placeholder:"DIR"`
}

func (c *backupCmd) Help() string {
	return "The copy is one consistent state, checked, and on the disk when the command ends; the server goes on meanwhile. Devices keep what they sent until a backup holds it, and offer it again after a restore.\nExample:\n  landfall backup --data d /backups"
}

// Run makes a backup.
func (c *backupCmd) Run(s *session) error {
	to := c.File
	if info, err := os.Stat(to); err == nil && info.IsDir() {
		to = filepath.Join(to, "landfall-"+time.Now().UTC().Format("20060102T150405Z")+".db")
	}
	bar := s.bar("writing")
	made, err := server.Backup(s.ctx, c.Data, to, bar.bytes)
	bar.end()
	if err != nil {
		return err
	}
	return s.show(made, made.File, func() {
		fmt.Fprintf(s.out, "%s holds %s (%s).\n", made.File, holds(made), megabytes(made.Bytes))
		fmt.Fprintf(s.out, "Keep it elsewhere than the server. To go back to it: landfall restore --data %s %s\n", c.Data, made.File)
	})
}

// holds says what a copy holds.
func holds(c *server.Copied) string {
	var out []string
	for _, ws := range slices.Sorted(maps.Keys(c.Workspaces)) {
		out = append(out, fmt.Sprintf("%s through change %d, of %s", ws, c.Workspaces[ws].Seq, c.Workspaces[ws].Time.UTC().Format(time.DateTime+" MST")))
	}
	return strings.Join(out, "; ")
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

type restoreCmd struct {
	File string `arg:"" help:"The backup." type:"path"`
	Data string `help:"Folder of the data." required:"" type:"path" env:"LANDFALL_DATA" placeholder:"DIR"`
}

func (c *restoreCmd) Help() string {
	return "Stop the server first. What is in the folder is set aside, not deleted. Devices find out by themselves: what they kept and the backup does not have, they offer again. What people did at the desk since the backup is not in it, nor are users, roles and revocations of that time: look at them before you serve.\nExample:\n  landfall restore --data d /backups/landfall-20260301T080000Z.db"
}

// Run restores a backup.
func (c *restoreCmd) Run(s *session) error {
	made, aside, err := server.Restore(s.ctx, c.File, c.Data)
	if err != nil {
		return err
	}
	return s.show(map[string]any{"restored": made, "aside": aside}, c.Data, func() {
		fmt.Fprintf(s.out, "%s holds %s now.\n", c.Data, holds(made))
		if aside != "" {
			fmt.Fprintf(s.out, "What was there is %s; delete it when you are sure.\n", aside)
		}
		fmt.Fprintf(s.out, "Next: landfall serve --data %s\nDevices offer again what came after the backup. One that enrolled after it signs in: landfall field -C DIR signin\n", c.Data)
	})
}
