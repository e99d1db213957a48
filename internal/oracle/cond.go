package oracle

import "math/big"

// answer is what a condition comes to. One that needs a value that is not there
// has no answer, which counts as no at the end; "and" and "or" may do without it.
type answer int

const (
	unanswered answer = iota
	no
	yes
)

func answered(b bool) answer {
	if b {
		return yes
	}
	return no
}

// holds tells whether the condition holds; none always does. was is nil where
// there is nothing before.
func (c *Cond) holds(who *Actor, r, was *Record) bool {
	return c == nil || c.ask(who, r, was) == yes
}

func (c *Cond) ask(who *Actor, r, was *Record) answer {
	v := r.Fields[c.Field]
	if c.Field == "created_by" {
		v = quoted(r.CreatedBy)
	}
	switch c.Op {
	case "mine":
		return answered(v == quoted(who.User))
	case "is":
		return answered(v == quoted(c.Value))
	case "above":
		if v == "" {
			return unanswered
		}
		bound, _ := new(big.Rat).SetString(c.Value)
		return answered(number(v).Cmp(bound) > 0)
	case "flag":
		if v == "" {
			return unanswered
		}
		return answered(v == "true")
	case "status":
		return answered(r.Status == c.Value)
	case "was":
		if was == nil {
			return unanswered
		}
		return answered(was.Status == c.Value)
	case "role":
		return answered(has(who.Roles, c.Value))
	case "team":
		return answered(has(who.Teams, c.Value))
	case "not":
		return map[answer]answer{yes: no, no: yes}[c.Of[0].ask(who, r, was)]
	}
	a, b := c.Of[0].ask(who, r, was), c.Of[1].ask(who, r, was)
	decides := map[string]answer{"and": no, "or": yes}[c.Op]
	switch {
	case a == decides || b == decides:
		return decides
	case a == unanswered || b == unanswered:
		return unanswered
	default:
		return a
	}
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
