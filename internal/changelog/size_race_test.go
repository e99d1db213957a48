//go:build race

package changelog

const large = 20_000
