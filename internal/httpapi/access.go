package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/landfall-sync/landfall"
)

// who says which callers a route lets in.
type who int

const (
	// people need a session. It is the zero value: a route that nobody thought
	// about here lets in neither strangers nor devices.
	people who = iota
	devices
	both
	anybody
)

// access is the one place that lets anybody but signed-in people in.
var access = map[string]who{
	"POST /v1/sessions": anybody,
	"POST /v1/devices":  anybody, // a code is the credential; see enrol
	"GET /v1/health":    anybody,
	// The language is the same everywhere; it says nothing of a workspace.
	"GET /v1/definition/schema": anybody,
	"GET /openapi.json":         anybody,
	"GET /openapi.yaml":         anybody,
	"POST /v1/sync/push":        devices,
	"GET /v1/sync/pull":         devices,
	"GET /v1/definition":        both,
	"GET /v1/me":                both,
	"GET /v1/settings":          both,
	// Devices see the issues of their user alone; the handlers see to it.
	"GET /v1/issues":                both,
	"GET /v1/issues/{id}":           both,
	"POST /v1/issues/retry":         both,
	"POST /v1/issues/{id}/comments": both,
}

// depositOnly is what the devices of disabled users, blocked devices, and those
// with a credential that was revoked may still do: hand in what they have.
const depositOnly = "POST /v1/sync/push"

type callerKey struct{}

// callerOf is who was let in. Only a public route can find nobody.
func callerOf(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	if c == nil {
		return &Caller{}
	}
	return c
}

// bearer is the token of a request, or "".
func bearer(h http.Header) string {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// admit lets a request pass to its route when its caller may use it.
func (a *API) admit(r *http.Request, pattern string) (*http.Request, *Caller, error) {
	allowed := access[pattern]
	token := bearer(r.Header)
	if allowed == anybody {
		return r, nil, nil
	}
	if token == "" {
		return r, nil, landfall.Errorf(landfall.CodeUnauthorized, "this needs a signed-in person or an enrolled device").
			WithHint("send the header Authorization: Bearer TOKEN; landfall login gets one")
	}
	c, err := a.Sessions.Authenticate(r.Context(), token)
	if err != nil {
		return r, nil, err
	}
	switch {
	case c.Void && pattern != depositOnly:
		err = landfall.Errorf(landfall.CodeUnauthorized, "the server does not let this device in (any more)").
			WithHint("its user signs in on it again: landfall field signin; what is on it can be handed in as it is, and nothing is lost")
	case c.Replica == "" && allowed == devices:
		err = landfall.Errorf(landfall.CodeForbidden, "only an enrolled device can sync").
			WithHint("enrol one: landfall field init URL --code CODE")
	case c.Replica != "" && allowed == people:
		err = landfall.Errorf(landfall.CodeForbidden, "a device's credential can't be used for this").
			WithHint("sign in as a person: landfall login URL")
	case c.Replica != "" && (c.Actor.Disabled || c.Actor.Blocked) && pattern != depositOnly:
		err = landfall.Errorf(landfall.CodeForbidden, "this account or device is blocked: it can hand in what it has, and receives nothing").
			WithHint("an administrator can enable it again; nothing on the device is lost by it")
	}
	if err != nil {
		return r, c, err
	}
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, c)), c, nil
}
