package torn

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// lives plays changes, and checkpoints among them, on a database with settings.
func lives(t *testing.T, settings string) *Life {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	var c *sqlite.Conn
	do := func(script string) string {
		holds := ""
		err := sqlitex.ExecuteScript(c, script, nil)
		if err == nil {
			holds, err = Contents(c)
		}
		if err != nil {
			t.Fatal(err)
		}
		return holds
	}
	l := Live(t, path, func() string {
		var err error
		if c, err = sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() }) // the life is over
		for _, s := range append([]string{"PRAGMA journal_mode = WAL"}, strings.Split(settings, "; ")...) {
			if err := sqlitex.ExecuteTransient(c, s, nil); err != nil {
				t.Fatal(err)
			}
		}
		return do("CREATE TABLE notes (n INTEGER PRIMARY KEY, text TEXT)")
	})
	for n := range 30 {
		l.Change(func() string {
			return do(fmt.Sprintf("INSERT INTO notes VALUES (%d, '%s')", n, strings.Repeat(string(rune('a'+n%26)), n*197%2500)))
		})
		if n%10 == 9 {
			l.Step("checkpoint", func() {
				if err := sqlitex.ExecuteTransient(c, "PRAGMA wal_checkpoint(PASSIVE)", nil); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
	return l
}

func holds(dir string, _ *rand.Rand) (out string, err error) {
	c, err := sqlite.OpenConn(filepath.Join(dir, "db"), sqlite.OpenReadWrite)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return Contents(c)
}

// lost counts the losses of power after which something is missing.
func lost(t *testing.T, l *Life, kind string, after After) (n int) {
	t.Helper()
	for i := range 60 {
		if l.lose(t.TempDir(), kind, i, after) != nil {
			n++
		}
	}
	return n
}

func TestNothingIsLost(t *testing.T) {
	lives(t, "PRAGMA synchronous = FULL").Lose(t, 40, holds, "commit", "start the log over", "checkpoint")
}

// What is wrong on purpose is found.
func TestPlantedBugs(t *testing.T) {
	for settings, kinds := range map[string][]string{
		"PRAGMA synchronous = NORMAL": {"commit"}, // the log is synced for a checkpoint alone
		"PRAGMA synchronous = OFF":    {"commit", "checkpoint", "start the log over"},
	} {
		l := lives(t, settings)
		for _, kind := range kinds {
			if lost(t, l, kind, holds) < 10 {
				t.Errorf("%s: %s: a loss of power loses nothing", settings, kind)
			}
		}
	}
}
