package app

// The roles of the simulated world.
const (
	Worker = "worker"
	Lead   = "lead"
	Clerk  = "clerk" // decides sync issues
	Guest  = "guest"
)

// Simulated is a version of the simulated app. Its types between them have every
// policy, an own lifecycle, numbers, unique values, references, teams, and
// records that few may see, parts with a sum of them on their whole, and records that
// are seen via others, and those via them. policy is the status policy of a job; revised is what
// a later version changes: a right, a rule, a transition, who receives what, and who
// reads what of it.
func Simulated(version int64, policy string, revised bool) *App {
	a := &App{
		Version: version,
		Roles:   []string{Worker, Lead, Clerk, Guest},
		Queues:  []Queue{{"conflicts", []string{Clerk}}, {"planning", []string{Lead}}, {"access", []string{Clerk, Lead}}},
		Types:   []*Type{job(policy), task(), memo(), step(), note()},
		Routes:  []Route{{"authorization", "access"}},
	}
	if revised {
		j := a.Type("job")
		j.Field("site").Required = true
		j.Field("price").Conflict = "review"
		j.Move("finish").Roles = []string{Lead}
		j.Rights[1].Own = false // any worker who sees a job may update it
		j.Audience = []Key{
			{Kind: "user", Name: "owner"}, {Kind: "team", Name: "squad", Statuses: []string{"planned"}},
			{Kind: "role", Name: Lead, Statuses: []string{"planned", "working"}}, {Kind: "role", Name: Clerk, Statuses: []string{"working", "done"}},
			{Kind: "role", Name: Guest, Statuses: []string{"done"}},
		}
		j.Unread = []Unread{{Worker, []string{"log", "price"}}, {Guest, []string{"gate", "log"}}}
		t := a.Type("task")
		t.Field("hours").Positive = true
		t.Audience = append(t.Audience, Key{Kind: "role", Name: Clerk})
		a.Queue("conflicts").Members = []string{Clerk, Lead}
		a.Queue("access").Members = []string{Clerk} // who is there when all else is lost
	}
	return a
}

func job(policy string) *Type {
	return &Type{
		Name: "job", Number: "JOB-", Policy: policy, Queue: "conflicts", Initial: "planned",
		Fields: []*Field{
			{Name: "title", Type: Text, Required: true, Max: 200},
			{Name: "site", Type: Text, Max: 100},
			{Name: "code", Type: Text, Unique: true},
			{Name: "price", Type: Decimal, Positive: true, Conflict: "review"},
			{Name: "visits", Type: Integer, Conflict: "add"},
			{Name: "tags", Type: Choices, Choices: []string{"hot", "cold", "wet", "dry"}, Conflict: "union"},
			{Name: "log", Type: LongText, Conflict: "append"},
			{Name: "gate", Type: Text, Conflict: "server"},
			{Name: "phone", Type: Text, Conflict: "device"},
			{Name: "owner", Type: User, Default: "me"},
			{Name: "squad", Type: Team},
			{Name: "done_at", Type: Datetime},
			{Name: "total", Type: Integer, Sums: "step.effort", Most: 5},
		},
		Statuses: []Status{{Name: "planned", Queue: "planning"}, {Name: "working"}, {Name: "done", Frozen: true}},
		Moves: []*Move{
			{Name: "start", From: []string{"planned"}, To: "working", Roles: []string{Worker, Lead}},
			{Name: "pause", From: []string{"working"}, To: "planned", Roles: []string{Worker, Lead}},
			{Name: "finish", From: []string{"working"}, To: "done", Roles: []string{Worker, Lead}, Requires: []string{"price"}, Stamp: "done_at"},
			{Name: "reopen", From: []string{"done"}, To: "planned", Roles: []string{Lead, Clerk}},
			{Name: "approve", From: []string{"working"}, To: "done", Roles: []string{Lead}, NotOwner: true},
		},
		Audience: []Key{{Kind: "user", Name: "owner"}, {Kind: "team", Name: "squad"}, {Kind: "role", Name: Lead}, {Kind: "role", Name: Clerk, Statuses: []string{"working", "done"}}},
		Rights: []Right{
			{Role: Worker, Verb: "create"}, {Role: Worker, Verb: "update", Own: true},
			{Role: Lead, Verb: "create"}, {Role: Lead, Verb: "update"}, {Role: Lead, Verb: "delete"},
			{Role: Clerk, Verb: "update"}, {Role: Guest, Verb: "update", Fields: []string{"log", "visits"}},
		},
		Unread: []Unread{{Worker, []string{"gate"}}, {Clerk, []string{"phone", "tags"}}, {Guest, []string{"gate", "visits"}}},
	}
}

func task() *Type {
	return &Type{
		Name: "task", Queue: "conflicts",
		Fields: []*Field{
			{Name: "what", Type: Text, Required: true},
			{Name: "job", Type: Reference, To: "job", Where: &Where{"done", "hours"}, Fill: []Fill{{"place", "site"}}},
			{Name: "hours", Type: Decimal},
			{Name: "place", Type: Text},
			{Name: "owner", Type: User, Default: "me"},
		},
		Audience: []Key{{Kind: "user", Name: "owner"}, {Kind: "role", Name: Lead}, {Kind: "via", Name: "job"}},
		Rights: []Right{
			{Role: Worker, Verb: "create"}, {Role: Worker, Verb: "update", Own: true}, {Role: Worker, Verb: "delete", Own: true},
			{Role: Lead, Verb: "create"}, {Role: Lead, Verb: "update"}, {Role: Lead, Verb: "delete"},
			{Role: Clerk, Verb: "update"}, {Role: Clerk, Verb: "create"},
		},
	}
}

// memo is seen by its owner alone.
func memo() *Type {
	return &Type{
		Name: "memo", Queue: "conflicts",
		Fields:   []*Field{{Name: "text", Type: LongText, Required: true}, {Name: "owner", Type: User, Default: "me"}},
		Audience: []Key{{Kind: "user", Name: "owner"}},
		Rights: []Right{
			{Role: Worker, Verb: "create"}, {Role: Worker, Verb: "update", Own: true}, {Role: Worker, Verb: "delete", Own: true},
			{Role: Lead, Verb: "create"}, {Role: Lead, Verb: "update", Own: true},
		},
	}
}

// step is a part of a job.
func step() *Type {
	return &Type{
		Name: "step", PartOf: "job", Queue: "conflicts",
		Fields: []*Field{
			{Name: "what", Type: Text, Required: true},
			{Name: "effort", Type: Integer, Conflict: "add"},
			{Name: "job", Type: Reference, To: "job", Required: true},
		},
		Rights: []Right{
			{Role: Worker, Verb: "create"}, {Role: Worker, Verb: "update"}, {Role: Worker, Verb: "delete"},
			{Role: Lead, Verb: "create"}, {Role: Lead, Verb: "update"}, {Role: Lead, Verb: "delete"},
			{Role: Clerk, Verb: "update"},
		},
	}
}

// note is seen via a task, and so via its job.
func note() *Type {
	return &Type{
		Name: "note", Queue: "conflicts",
		Fields: []*Field{
			{Name: "text", Type: LongText, Required: true, Conflict: "append"},
			{Name: "task", Type: Reference, To: "task"},
			{Name: "owner", Type: User, Default: "me"},
		},
		Audience: []Key{{Kind: "user", Name: "owner"}, {Kind: "via", Name: "task"}},
		Rights: []Right{
			{Role: Worker, Verb: "create"}, {Role: Worker, Verb: "update", Own: true}, {Role: Worker, Verb: "delete", Own: true},
			{Role: Lead, Verb: "create"}, {Role: Lead, Verb: "update"}, {Role: Lead, Verb: "delete"}, {Role: Clerk, Verb: "update"},
		},
	}
}
