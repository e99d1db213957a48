package landfall

import (
	"errors"
	"fmt"
)

// Code is a stable class of error; the HTTP API maps it to a status in one place.
type Code string

// The codes.
const (
	CodeInvalid      Code = "invalid"      // the request is wrong; Hint says how to mend it
	CodeUnauthorized Code = "unauthorized" // sign in (again)
	CodeForbidden    Code = "forbidden"    // signed in, but not allowed
	CodeNotFound     Code = "not-found"    // absent, or not visible to the caller
	CodeConflict     Code = "conflict"     // somebody else was first; look again
	CodeRefused      Code = "refused"      // the rules refuse it; Messages say why
	CodeTooLarge     Code = "too-large"
	CodeBusy         Code = "busy"        // later, with back-off
	CodeUnavailable  Code = "unavailable" // the server can't be reached or can't work now; nothing is lost
	CodeInternal     Code = "internal"
)

// Error is an error for people and programs. Message says what is wrong, Hint
// what to do next. Neither holds a value that the caller may not see.
type Error struct {
	Code     Code      `json:"code"`
	Message  string    `json:"message"`
	Hint     string    `json:"hint,omitempty"`
	Kind     Kind      `json:"kind,omitempty"` // for CodeRefused
	Messages []Message `json:"messages,omitempty"`
	Err      error     `json:"-"` // cause, for logs only
}

func (e *Error) Error() string {
	if e.Hint != "" {
		return e.Message + " (" + e.Hint + ")"
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithHint returns the error with what to do next.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// CodeOf is the code of err, or CodeInternal.
func CodeOf(err error) Code {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
