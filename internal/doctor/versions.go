package doctor

import (
	"fmt"
	"time"

	"github.com/landfall-sync/landfall/internal/definition"
)

// mostCompiled is how many definitions are kept compiled.
const mostCompiled = 16

// versions are the published definitions of a workspace.
type versions struct {
	r        Reader
	ws       string
	since    []time.Time // when version i+1 was published
	compiled map[int64]*definition.App
}

func published(r Reader, ws string, last int64) (*versions, error) {
	v := &versions{r: r, ws: ws, compiled: map[int64]*definition.App{}}
	for n := int64(1); n <= last; n++ {
		row, err := r.Definition(ws, n)
		if err != nil {
			return nil, err
		}
		at := time.Time{}
		if row != nil {
			at = row.At
		}
		v.since = append(v.since, at)
	}
	return v, nil
}

// at is a published version, compiled.
func (v *versions) at(n int64) (*definition.App, error) {
	if app := v.compiled[n]; app != nil {
		return app, nil
	}
	if n < 1 || n > int64(len(v.since)) {
		return nil, fmt.Errorf("version %d of the definition was never published", n)
	}
	row, err := v.r.Definition(v.ws, n)
	if err != nil {
		return nil, fmt.Errorf("version %d of the definition can't be read: %w", n, err)
	}
	if row == nil {
		return nil, fmt.Errorf("version %d of the definition is not stored", n)
	}
	app, problems := definition.Compile("app.yaml", row.Source)
	if app == nil {
		return nil, fmt.Errorf("version %d of the definition does not compile: %d problems", n, len(problems))
	}
	own := *app
	own.Version = n
	if len(v.compiled) >= mostCompiled {
		clear(v.compiled)
	}
	v.compiled[n] = &own
	return &own, nil
}

// latest is the last version that has the type: records of one that is gone stay
// where they were.
func (v *versions) latest(typ string) (app *definition.App, err error) {
	for n := int64(len(v.since)); n > 0; n-- {
		if app, err = v.at(n); err != nil || app.Types[typ] != nil {
			return app, err
		}
	}
	return v.at(int64(len(v.since)))
}

// inForce lists the versions that may have been in force at a moment. The time
// of the server never runs backwards, but two commits may have the same: then
// it can be either. Where no time tells, it can be any.
func (v *versions) inForce(at time.Time) (out []int64) {
	for i, since := range v.since {
		if since.After(at) || i+1 < len(v.since) && v.since[i+1].Before(at) {
			continue
		}
		out = append(out, int64(i+1))
	}
	if len(out) > 0 {
		return out
	}
	for i := range v.since {
		out = append(out, int64(i+1))
	}
	return out
}

// any reports whether a version that may have been in force passes; one that
// can't be read does, since a check of its own tells of that.
func (v *versions) any(at time.Time, pass func(*definition.App) bool) bool {
	for _, n := range v.inForce(at) {
		app, err := v.at(n)
		if err != nil || pass(app) {
			return true
		}
	}
	return len(v.since) == 0
}
