package definition

import "strings"

// Nearest is the candidate that is spelled most like name, or "" when none is
// close: at most a third of the letters may differ (restricted edit distance).
// Of several equally near ones it is the first.
func Nearest(name string, candidates []string) string {
	best, found := len(name)/3+1, ""
	for _, c := range candidates {
		if c == "" {
			continue
		}
		prefix := strings.HasPrefix(strings.ToLower(c), strings.ToLower(name)) && len(name) >= 3
		if apart := max(len(c)-len(name), len(name)-len(c)); apart > best && !prefix {
			continue // they differ by so many letters at least
		}
		d := distance(strings.ToLower(name), strings.ToLower(c))
		if prefix {
			d = min(d, 1)
		}
		if d < best || d == best && found == "" {
			best, found = d, c
		}
	}
	return found
}

// distance counts insertions, deletions, substitutions and swaps of neighbours.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
