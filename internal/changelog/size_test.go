//go:build !race

package changelog

// large is how many records are many. The race detector makes storing them slow.
const large = 100_000
