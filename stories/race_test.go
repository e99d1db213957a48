//go:build race

package stories

// With the race detector on, the server is built with it, too. Devices and
// people are one short command after another, which it would only slow down;
// what runs concurrently in a client is tested in its own package.
func init() { serverFlags = append(serverFlags, "-race") }
