//go:build race

package torn

// Raced: the race detector is on, and everything takes ten times as long.
const Raced = true
