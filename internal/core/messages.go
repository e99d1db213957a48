package core

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// The codes of messages. Those about the form of a value (wrong_type, too_long,
// out_of_range, unknown_choice) are package definition's.
const (
	CodeUserDisabled      = "user_disabled"
	CodeDeviceBlocked     = "device_blocked"
	CodeNoRoles           = "no_roles"
	CodeLost              = "lost"
	CodeOutdated          = "outdated"
	CodeUnknownType       = "unknown_type"
	CodeUnknownField      = "unknown_field"
	CodeUnknownTransition = "unknown_transition"
	CodeNotAvailable      = "not_available"
	CodeDuplicate         = "duplicate"
	CodeGone              = "gone"
	CodeMayNotCreate      = "may_not_create"
	CodeMayNotUpdate      = "may_not_update"
	CodeMayNotDelete      = "may_not_delete"
	CodeMayNotWrite       = "may_not_write"
	CodeNotThisRecord     = "not_this_record"
	CodeStatusMoved       = "status_moved"
	CodeFrozen            = "status_frozen"
	CodeNoLifecycle       = "no_lifecycle"
	CodeNotFromStatus     = "not_from_status"
	CodeTransitionRole    = "transition_role"
	CodeTransitionWhen    = "transition_when"
	CodeRequires          = "requires"
	CodeExpression        = "expression_failed"
	CodeFieldChanged      = "field_changed"
	CodeRecordChanged     = "record_changed"
	CodeRange             = "out_of_range"
	CodeRequired          = "required"
	CodeCheck             = "check"
	CodeUnique            = "not_unique"
	CodeNoRecord          = "no_such_record"
	CodeNoUser            = "no_such_user"
	CodeNoTeam            = "no_such_team"
	CodeComputed          = "computed_field"
	CodePartFixed         = "part_fixed"
	CodeTooManyParts      = "too_many_parts"
	CodeTooManyMove       = "too_many_move"
	CodeWholeGone         = "whole_gone"
	CodeWhere             = "where"
	CodeChangedSince      = "changed_since_seen"
	CodeMalformed         = "malformed"
	CodeFork              = "fork"
	CodeInternal          = "internal"
)

var mayNot = map[verb]string{toCreate: CodeMayNotCreate, toUpdate: CodeMayNotUpdate, toDelete: CodeMayNotDelete}

// wording is the text and the hint of a code. %s are the arguments of say.
type wording struct{ text, hint string }

var wordings = map[string]wording{
	CodeUserDisabled:      {"The account was disabled when this arrived.", "An administrator can enable the account; then this is tried again."},
	CodeDeviceBlocked:     {"The device was blocked when this arrived.", "An administrator can let the device in again; then this is tried again."},
	CodeNoRoles:           {"The account has no role.", "An administrator can grant one; then this is tried again."},
	CodeLost:              {"The device no longer has what was entered under this number.", "Ask its user what it was, and enter it again if it still matters; then take the server's side."},
	CodeOutdated:          {"%s is no longer part of the app.", "Publish an app version that has or converts it, and this is tried again; or leave it out (repair), or choose what to keep."},
	CodeUnknownType:       {"The app has no type %s.", "Add it to the app definition and publish that, or withdraw this."},
	CodeUnknownField:      {"%s has no field %s.", "Leave the field out (repair), or add it to the app definition and publish that."},
	CodeUnknownTransition: {"%s has no transition %s.", "Add it to the app definition and publish that, or repair this with another transition."},
	CodeNotAvailable:      {"The record is not available.", "It may have been deleted, or access to it was taken away: when it is available again, this is tried again."},
	CodeDuplicate:         {"A record of type %s with this id is there already.", "Compare both, and decide which values to keep."},
	CodeGone:              {"The record of type %s was deleted.", "Take the device's side to restore it with these changes, or the server's to leave it deleted."},
	CodeMayNotCreate:      {"The right to create records of type %s is missing.", ""},
	CodeMayNotUpdate:      {"The right to update records of type %s is missing.", ""},
	CodeMayNotDelete:      {"The right to delete or restore records of type %s is missing.", ""},
	CodeMayNotWrite:       {"The right to write %s of %s is missing.", ""},
	CodeNotThisRecord:     {"The right to %s records of type %s does not cover this one.", "Somebody with the right can make the change, or an administrator can widen it; then this is tried again."},
	CodeStatusMoved:       {"The %s has moved to another status since this was entered.", "Compare both sides and decide what to keep."},
	CodeFrozen:            {"The %s is in a status in which nobody changes fields.", "Move it to an open status first, then apply the change."},
	CodeNoLifecycle:       {"%s has no lifecycle, so it can't be moved.", "Give the type a lifecycle in the app definition, or withdraw this."},
	CodeNotFromStatus:     {"%s does not lead from the status in which the record is.", "Allow the transition from there in the app definition and publish that, or make another one first."},
	CodeTransitionRole:    {"The right to make the transition %s of %s is missing.", ""},
	CodeTransitionWhen:    {"The condition for %s of %s does not hold.", "Change the record so that it holds, or the condition in the app definition; then this is tried again."},
	CodeRequires:          {"%s is needed for %s.", ""},
	CodeExpression:        {"An expression of %s in the app definition can't be evaluated.", "An administrator must mend it and publish the app; then this is tried again."},
	CodeFieldChanged:      {"%s was changed by somebody else at the same time.", "Compare both values and decide which to keep."},
	CodeRecordChanged:     {"The %s was changed by somebody else since this was entered.", "Look at the changes, then delete it or keep it."},
	CodeRange:             {"%s: the sum does not fit.", "Enter a smaller number."},
	CodeRequired:          {"%s is missing.", ""},
	CodeCheck:             {"%s is not valid.", "Enter another value."},
	CodeUnique:            {"%s: another record has this value already.", "Enter another one."},
	CodeNoRecord:          {"%s: no such record is available.", "Choose a record that is there to choose."},
	CodeNoUser:            {"%s: there is no such user.", "Choose a user that exists."},
	CodeNoTeam:            {"%s: there is no such team.", "Choose a team that exists."},
	CodeComputed:          {"%s is worked out by the server; nobody enters it.", "Leave it out. A client that offers to enter it has to be updated."},
	CodePartFixed:         {"What this is a part of can't be changed.", "Make a new one there, and delete this one."},
	CodeTooManyParts:      {"A record of type %s has at most %s parts of type %s.", "Delete some, or begin another record."},
	CodeTooManyMove:       {"More than %s records are seen through, or parts of, this record of type %s, and would move with it.", "Let some of them name another record first, or publish an app in which they have an audience of their own."},
	CodeWholeGone:         {"The record of type %s that this is a part of was deleted.", "Restore that one, then this is tried again; or leave it deleted."},
	CodeWhere:             {"%s: this record can't be chosen here.", "Choose one that fits what is entered."},
	CodeChangedSince:      {"The %s was changed since you looked at it.", "Look again, then decide."},
	CodeMalformed:         {"This can't be read.", "Update the client. What was sent is kept, and can be repaired."},
	CodeFork:              {"The device has sent another change under this number before: it was restored or copied.", "Compare both sides, and decide which values to keep."},
	CodeInternal:          {"The server failed over this change.", "It is kept; an administrator can retry it."},
}

// say is the message of a code.
func say(code string, args ...string) landfall.Message {
	w := wordings[code]
	n := strings.Count(w.text, "%s")
	list := make([]any, 0, n)
	for _, a := range args[:n] {
		list = append(list, a)
	}
	return landfall.Message{Code: code, Text: fmt.Sprintf(w.text, list...), Hint: w.hint}
}

// fieldSay is the message of a code about one field.
func fieldSay(code string, t *definition.Type, field string) *landfall.Message {
	arg := fieldTitle(t, field)
	if code == CodeExpression {
		arg = title(t)
	}
	m := onField(say(code, arg), field)
	return &m
}

// onField is the message about the field.
func onField(m landfall.Message, field string) landfall.Message {
	if r := []rune(field); len(r) > 64 {
		field = string(r[:64])
	}
	m.Field = field
	return m
}

// fieldsOf is the part of a cause that names fields and what is wrong with them.
func fieldsOf(messages []landfall.Message) string {
	var parts []string
	for _, m := range messages {
		parts = append(parts, m.Field+":"+m.Code)
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), ",")
}

func title(t *definition.Type) string { return or(t.Title, t.Name) }

func fieldTitle(t *definition.Type, name string) string {
	if f := t.Fields[name]; f != nil {
		return or(f.Title, name)
	}
	return name
}

func moveTitle(t *definition.Transition) string { return or(t.Title, t.Name) }

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// rolesHint says who could do it, and who could let the author.
func rolesHint(roles []string) string {
	if len(roles) == 0 {
		return "No role has it: it must be given to one in the app definition."
	}
	return "It belongs to " + strings.Join(roles, ", ") + ". An administrator can grant such a role."
}

// grantHint is the rolesHint of a right.
func grantHint(t *definition.Type, v verb, field string) string {
	var roles []string
	for role, r := range t.Rights {
		if g := grant(r, v); g != nil && (field == "" || covers(g, field)) {
			roles = append(roles, role)
		}
	}
	slices.Sort(roles)
	return rolesHint(roles)
}
