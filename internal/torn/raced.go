//go:build race

package torn

const raced = true
