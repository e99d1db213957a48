package demo

import (
	"context"

	"github.com/landfall-sync/landfall/examples"
)

// App is an example app with people and data.
type App struct {
	Name       string
	Title      string
	Definition []byte
	People     []Person
	Admin      string   // what Ada does in it
	Desk       string   // who signs in first at the desk
	Story      bool     // whether there is a story of its name
	Hints      []string // commands that are worth a try
	// Seed adds the people and their data to a server that has Ada alone. The same
	// server gets the same data each time, but for days, which count from today;
	// progress is told as it goes.
	Seed func(ctx context.Context, url string, progress func(done, of int)) error
}

// Apps are the example apps, the first one first.
var Apps = []App{
	{
		Name: "expenses", Title: "uPlus Expenses", Definition: examples.Expenses, People: People, Seed: Seed,
		Admin: "administrator, looks after sync conflicts",
		Desk:  Admin, Story: true,
		Hints: []string{"landfall record list expense --status pending-approval", "landfall inbox list"},
	},
	{
		Name: "fieldservice", Title: "Harbour Facility Services", Definition: examples.FieldService, People: Crew, Seed: SeedFieldService,
		Admin: "administrator", Desk: "dina",
		Hints: []string{"landfall record list work_order --status planned", "landfall record show WO-1001", "landfall queue list"},
	},
}

// Find is the app of that name; nil for none.
func Find(name string) *App {
	for i := range Apps {
		if Apps[i].Name == name {
			return &Apps[i]
		}
	}
	return nil
}
