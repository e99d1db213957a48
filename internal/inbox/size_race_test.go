//go:build race

package inbox

const large = 10_000
