//go:build race

package stories

// With the race detector on, the program under test is built with it, too.
func init() { buildFlags = append(buildFlags, "-race") }
