//go:build !race

package torn

// Raced: the race detector is off.
const Raced = false
