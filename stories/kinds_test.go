package stories

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

const packing = "testdata/kinds.yaml"

// kinds is a world in which refusals are made, one after the other.
type kinds struct {
	*World
	ada, bo *Person // an administrator, and the boss
	phone   *Device // Emma's, who packs
	raw     *rawDevice
	crate   string // of the row
	shelf   string
}

// refusal is one kind of refusal: how it comes about, what people read, and how
// it ends when they do what they read.
type refusal struct {
	name  string
	make  func(k *kinds) // makes and sends it; the phone has everything before
	kind  landfall.Kind
	code  string
	text  string
	hint  string
	cause string // the title of its cause, after its count; the text when it is left out
	mend  func(k *kinds, issue string)
	ends  landfall.Settlement // applied, when it is left out
	// unaided: the server applies it by itself once its cause is gone.
	unaided bool
	undo    func(k *kinds) // brings back what the row changed for all
}

func newKinds(t *testing.T) *kinds {
	t.Helper()
	w := NewWorld(t, packing)
	w.User("emma", "packer")
	k := &kinds{World: w, ada: w.Ada(), bo: w.Person("bo", "boss"), phone: w.Device("phone", "emma", w.URL)}
	k.raw = w.rawDevice("emma")
	k.shelf = k.bo.Do("record", "create", "x_shelf", "x_name=One", "--quiet")
	return k
}

func playKinds(t *testing.T, rows []refusal) {
	k := newKinds(t)
	for n, row := range rows {
		ended := false
		t.Run(row.name, func(t *testing.T) {
			outer := k.t
			k.t = t
			defer func() { k.t = outer }()
			k.play(n, row)
			ended = true
		})
		if !ended {
			return // the next ones would find what this one left
		}
	}
}

// play makes the refusal, finds it in all the places where people look, mends its
// cause, and sees that it completes.
func (k *kinds) play(n int, row refusal) {
	t := k.t
	t.Helper()
	k.crate = k.phone.Do("create", "x_crate", fmt.Sprintf("x_name=Crate %d", n), "x_price=5", "--quiet")
	k.phone.Do("sync", "--exit-code")
	row.make(k)

	issues := k.ada.Issues("--kind", string(row.kind), "--state", "open")
	if len(issues) != 1 {
		t.Fatalf("want one issue %s, got %s", row.kind, dump(k.ada.Issues()))
	}
	issue := issues[0]
	m := issue.Messages[0]
	same(t, "code", m.Code, row.code)
	same(t, "text", m.Text, row.text)
	same(t, "hint", m.Hint, row.hint)
	id := k.ada.Do("inbox", "list", "--kind", string(row.kind), "--state", "completed-with-errors", "--quiet")
	same(t, "items", len(strings.Fields(id)), 1)
	var causes list[wire.Cause]
	k.ada.JSON(&causes, "issue", "causes")
	same(t, "causes", len(causes.Items), 1)
	c := causes.Items[0]
	same(t, "cause", c.Title, "1 change: "+or(row.cause, strings.TrimSuffix(row.text, ".")))
	same(t, "fix", c.Fix, row.hint)
	if row.kind != landfall.KindOutdated { // what is gone has no title any more
		k.titles(m.Text, m.Hint, c.Title, c.Fix)
	}

	contains(t, "the causes in words", k.ada.Do("issue", "causes"), c.Title, row.hint, "landfall issue list --cause "+c.Cause)
	contains(t, "the issue in words", k.ada.Do("issue", "show", issue.ID), row.text, "To do:  "+row.hint)

	row.mend(k, issue.ID)
	done := k.resolved(k.ada, issue.ID)
	same(t, "how it ended", done.Settlement, landfall.Settlement(or(string(row.ends), string(landfall.SettledApplied))))
	same(t, "nobody had to do more", done.Decider == "" && row.ends == "", row.unaided)
	var it item
	k.ada.JSON(&it, "inbox", "show", id)
	same(t, "the item", it.State, "completed")
	if row.undo != nil {
		row.undo(k)
	}
	k.phone.Do("sync", "--exit-code")
}

// titles: no name of the definition is in a text.
func (k *kinds) titles(texts ...string) {
	k.t.Helper()
	for _, text := range texts {
		if strings.Contains(text, "x_") {
			k.t.Errorf("people read a name instead of a title: %s", text)
		}
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// edition publishes the definition with these replaced, each of which is there
// once; with none it is the first one again.
func (k *kinds) edition(oldAndNew ...string) {
	k.t.Helper()
	b, err := os.ReadFile(packing)
	if err != nil {
		k.t.Fatal(err)
	}
	text := string(b)
	for i := 0; i < len(oldAndNew); i += 2 {
		if strings.Count(text, oldAndNew[i]) != 1 {
			k.t.Fatalf("%q is not once in the definition", oldAndNew[i])
		}
		text = strings.Replace(text, oldAndNew[i], oldAndNew[i+1], 1)
	}
	k.write("edition.yaml", text)
	k.ada.Do("app", "publish", "--yes", k.path("edition.yaml"))
}

func first(k *kinds) { k.edition() }

// grants gives Emma the boss's rights, and takes them away again.
func grants(k *kinds, _ string) { k.ada.Do("user", "grant", "emma", "boss") }
func revokes(k *kinds)          { k.ada.Do("user", "revoke", "emma", "boss") }

// sends is a make: a field command about the row's crate, and a sync.
func sends(command string, words ...string) func(*kinds) {
	return func(k *kinds) {
		k.t.Helper()
		k.phone.Do(append([]string{command, k.crate}, words...)...)
		k.phone.Do("sync")
	}
}

// under publishes an edition while the phone is away with a change.
func under(edition []string, command string, words ...string) func(*kinds) {
	return func(k *kinds) {
		k.t.Helper()
		k.phone.Do(append([]string{command, k.crate}, words...)...)
		k.edition(edition...)
		k.phone.Do("sync")
	}
}

// amends is what Emma enters on her phone.
func amends(words ...string) func(*kinds, string) {
	return func(k *kinds, _ string) {
		k.t.Helper()
		k.phone.Do(append([]string{"set", k.crate}, words...)...)
		k.phone.Do("sync", "--exit-code")
	}
}

// repairs is what the boss repairs.
func repairs(words ...string) func(*kinds, string) {
	return func(k *kinds, issue string) {
		k.t.Helper()
		k.bo.Do(append([]string{"issue", "repair", issue}, words...)...)
	}
}

// decides is what the boss decides.
func decides(words ...string) func(*kinds, string) {
	return func(k *kinds, issue string) {
		k.t.Helper()
		k.bo.Do(append([]string{"issue", "resolve", issue}, words...)...)
	}
}

func edits(pairs ...string) []string { return pairs }

// rawDevice is a device that sends what no client of ours would.
type rawDevice struct {
	w                   *World
	replica, credential string
	n                   int
	last                string // hash of what it sent last
}

func (w *World) rawDevice(user string) *rawDevice {
	w.t.Helper()
	code := w.Ada().Do("device", "enrol", "--user", user, "--quiet")
	var enrolled struct{ Replica, Credential string }
	post(w.t, w.URL+"/v1/devices", "", fmt.Sprintf(`{"code":%q,"name":"raw"}`, code), &enrolled)
	return &rawDevice{w: w, replica: enrolled.Replica, credential: enrolled.Credential}
}

// push sends one change; its number and time are put before what it holds.
func (d *rawDevice) push(change string) {
	d.w.t.Helper()
	d.n++
	mutation := fmt.Sprintf(`{"n":%d,"made_at":"2026-01-01T00:00:00Z",%s}`, d.n, change)
	body := fmt.Sprintf(`{"replica":%q,"incarnation":1,"clock":"2026-01-01T00:00:00Z","protocol":1,"first":%d,"previous_hash":%q,"waiting":1,"mutations":[%s]}`,
		d.replica, d.n, d.last, mutation)
	d.last = fmt.Sprintf("%x", sha256.Sum256([]byte(mutation)))
	var reply struct{ Next int64 }
	post(d.w.t, d.w.URL+"/v1/sync/push", d.credential, body, &reply)
	same(d.w.t, "next", reply.Next, int64(d.n+1))
}

// What somebody may not do waits until they may.
func TestRefusedForARight(t *testing.T) {
	t.Parallel()
	const belongs = "It belongs to boss. An administrator can grant such a role."
	playKinds(t, []refusal{
		{
			name: "a type", kind: landfall.KindAuthorization, code: "may_not_create",
			make: func(k *kinds) {
				k.phone.Do("create", "x_shelf", "x_name=Two")
				k.phone.Do("sync")
			},
			text: "The right to create records of type Shelf is missing.", hint: belongs, cause: "emma lacks create on Shelf",
			mend: grants, unaided: true, undo: revokes,
		},
		{
			name: "a field", kind: landfall.KindAuthorization, code: "may_not_write",
			make: sends("set", "x_seals=two"),
			text: "The right to write Seals of Crate is missing.", hint: belongs, cause: "emma lacks write Seals on Crate",
			mend: grants, unaided: true, undo: revokes,
		},
		{
			name: "this record", kind: landfall.KindAuthorization, code: "not_this_record",
			make: func(k *kinds) {
				k.bo.Do("record", "set", k.crate, "x_helper=emma", "x_owner=bo")
				k.phone.Do("sync")
				sends("set", "x_note=dented")(k)
			},
			text: "The right to update records of type Crate does not cover this one.",
			hint: "Somebody with the right can make the change, or an administrator can widen it; then this is tried again.",
			mend: func(k *kinds, _ string) { k.edition(`, x_owner], when: "record.x_owner == me"}`, "]}") }, unaided: true, undo: first,
		},
		{
			name: "the role of a transition", kind: landfall.KindAuthorization, code: "transition_role",
			make: func(k *kinds) {
				grants(k, "")
				k.phone.Do("sync")
				k.phone.Do("move", k.crate, "x_seal")
				k.phone.Do("sync")
				k.phone.Do("move", k.crate, "x_ship")
				revokes(k)
				k.phone.Do("sync")
			},
			text: "The right to make the transition Ship of Crate is missing.", hint: belongs, cause: "emma lacks Ship on Crate",
			mend: grants, unaided: true, undo: revokes,
		},
		{
			name: "the condition of a transition", kind: landfall.KindAuthorization, code: "transition_when",
			make: func(k *kinds) {
				k.phone.Do("set", k.crate, "x_weight=120")
				sends("move", "x_seal")(k)
			},
			text: "The condition for Seal of Crate does not hold.",
			hint: "Change the record so that it holds, or the condition in the app definition; then this is tried again.",
			mend: func(k *kinds, _ string) { k.bo.Do("record", "set", k.crate, "x_weight=80") }, unaided: true,
		},
		{
			name: "no role", kind: landfall.KindAuthorization, code: "no_roles",
			make: func(k *kinds) {
				k.ada.Do("user", "revoke", "emma", "packer")
				sends("set", "x_note=dented")(k)
			},
			text: "The account has no role.", hint: "An administrator can grant one; then this is tried again.",
			mend: func(k *kinds, _ string) { k.ada.Do("user", "grant", "emma", "packer") }, unaided: true,
		},
		{
			name: "the account", kind: landfall.KindAuthorization, code: "user_disabled",
			make: func(k *kinds) {
				k.phone.Do("set", k.crate, "x_note=dented")
				k.ada.Do("user", "disable", "emma")
				contains(k.t, "what the phone says", k.phone.Try("sync").Err, "handed in 1")
			},
			text: "The account was disabled when this arrived.", hint: "An administrator can enable the account; then this is tried again.",
			mend: func(k *kinds, _ string) { k.ada.Do("user", "enable", "emma") }, unaided: true,
		},
		{
			name: "the device", kind: landfall.KindAuthorization, code: "device_blocked",
			make: func(k *kinds) {
				k.phone.Do("set", k.crate, "x_note=dented")
				k.ada.Do("device", "block", k.phone.Replica())
				contains(k.t, "what the phone says", k.phone.Try("sync").Err, "handed in 1")
			},
			text: "The device was blocked when this arrived.", hint: "An administrator can let the device in again; then this is tried again.",
			mend: func(k *kinds, _ string) { k.ada.Do("device", "unblock", k.phone.Replica()) }, unaided: true,
		},
	})
}

// What can't be so is amended by its author, or repaired by somebody else.
func TestRefusedForAValue(t *testing.T) {
	t.Parallel()
	playKinds(t, []refusal{
		{
			name: "mandatory", kind: landfall.KindValidation, code: "required",
			make: under(edits("x_weight: {title: Weight, type: integer", "x_weight: {title: Weight, type: integer, required: true"), "set", "x_note=dented"),
			text: "Weight is missing.", hint: "Enter Weight.", cause: "Weight is missing",
			mend: amends("x_weight=12"), ends: landfall.SettledAmended, undo: first,
		},
		{
			name: "of another type", kind: landfall.KindValidation, code: "wrong_type",
			make: under(edits("x_seals:  {title: Seals, type: text}", "x_seals:  {title: Seals, type: integer}", "x_price, x_owner", "x_price, x_seals, x_owner"), "set", "x_seals=two"),
			text: "Seals: a whole number such as 12 was expected", hint: "Enter it like that.",
			mend: repairs("x_seals=2"), undo: first,
		},
		{
			name: "no choice any more", kind: landfall.KindValidation, code: "unknown_choice",
			make: under(edits(", green: Green", ", blue: Blue"), "set", "x_colour=green"),
			text: "Colour: one of red, blue was expected", hint: "Choose one of them.",
			mend: repairs("x_colour=blue"), undo: first,
		},
		{
			name: "a check with its message", kind: landfall.KindValidation, code: "check",
			make: under(edits("x_weight: {title: Weight, type: integer", "x_weight: {title: Weight, type: integer, check: x_weight < 50, message: Nobody can lift that"), "set", "x_weight=60"),
			text: "Nobody can lift that", hint: "Enter another value.",
			mend: repairs("x_weight=40"), undo: first,
		},
		{
			name: "too long", kind: landfall.KindValidation, code: "too_long",
			make: under(edits("x_note:   {title: Remark, type: text", "x_note:   {title: Remark, type: text, max: 10"), "set", "x_note=dented at the left"),
			text: "Remark: at most 10 characters fit", hint: "Make it shorter.",
			mend: amends("x_note=dented"), ends: landfall.SettledAmended, undo: first,
		},
		{
			name: "not unique", kind: landfall.KindValidation, code: "not_unique",
			make: func(k *kinds) {
				k.bo.Do("record", "create", "x_crate", "x_name=Another", "x_code=4711")
				sends("set", "x_code=4711")(k)
			},
			text: "Bar code: another record has this value already.", hint: "Enter another one.",
			mend: amends("x_code=4712"), ends: landfall.SettledAmended,
		},
		{
			name: "no such record", kind: landfall.KindValidation, code: "no_such_record",
			make: func(k *kinds) {
				gone := k.bo.Do("record", "create", "x_shelf", "x_name=Gone", "--quiet")
				k.phone.Do("sync")
				k.phone.Do("set", k.crate, "x_place="+gone)
				k.bo.Do("record", "delete", gone)
				k.phone.Do("sync")
			},
			text: "Place: no such record is available.", hint: "Choose a record that is there to choose.",
			mend: func(k *kinds, i string) { amends("x_place="+k.shelf)(k, i) }, ends: landfall.SettledAmended,
		},
		{
			name: "a record that can't be chosen", kind: landfall.KindValidation, code: "where",
			make: func(k *kinds) {
				k.phone.Do("set", k.crate, "x_place="+k.shelf)
				k.bo.Do("record", "set", k.shelf, "x_free=false")
				k.phone.Do("sync")
			},
			text: "Place: this record can't be chosen here.", hint: "Choose one that fits what is entered.",
			mend: func(k *kinds, _ string) { k.bo.Do("record", "set", k.shelf, "x_free=true") }, unaided: true,
		},
		{
			name: "what a transition requires", kind: landfall.KindValidation, code: "requires",
			make: under(edits("x_seal:  {title: Seal,", "x_seal:  {title: Seal, requires: [x_note],"), "move", "x_seal"),
			text: "Remark is needed for Seal.", hint: "Enter Remark.",
			mend: amends("x_note=full"), ends: landfall.SettledAmended, undo: first,
		},
	})
}

// What the app definition has not waits until one that has it is published.
func TestRefusedForTheDefinition(t *testing.T) {
	t.Parallel()
	republish := func(k *kinds, _ string) { k.edition() }
	playKinds(t, []refusal{
		{
			name: "a transition that is missing from the lifecycle", kind: landfall.KindConfiguration, code: "not_from_status",
			make: under(edits("x_seal:  {title: Seal, from: x_open", "x_seal:  {title: Seal, from: x_shipped", "x_ship:  {title: Ship, from: x_sealed", "x_ship:  {title: Ship, from: [x_open, x_sealed]"), "move", "x_seal"),
			text: "Seal does not lead from the status in which the record is.",
			hint: "Allow the transition from there in the app definition and publish that, or make another one first.",
			mend: republish, unaided: true,
		},
		{
			name: "an unknown transition", kind: landfall.KindConfiguration, code: "unknown_transition",
			make: func(k *kinds) {
				k.raw.push(fmt.Sprintf(`"op":"transition","type":"x_crate","id":%q,"transition":"weigh","base":{"version":%d,"status":"x_open"}`, k.crate, k.bo.Record(k.crate).Version))
			},
			text: `Crate has no transition "weigh".`, hint: "Add it to the app definition and publish that, or repair this with another transition.",
			mend: func(k *kinds, _ string) {
				k.edition("x_break: {", "weigh: {from: x_open, to: x_open, roles: [packer]}\n        x_break: {")
			}, unaided: true, undo: first,
		},
		{
			name: "an unknown type", kind: landfall.KindConfiguration, code: "unknown_type",
			make: func(k *kinds) {
				k.raw.push(`"op":"create","type":"barrel","id":"0198c3aa-0000-7000-8000-000000000001","set":{"x_name":"Rum"}`)
			},
			text: `The app has no type "barrel".`, hint: "Add it to the app definition and publish that, or withdraw this.",
			mend: func(k *kinds, _ string) {
				k.edition("types:\n", "types:\n  barrel: {fields: {x_name: {type: text}}, audience: [all], rights: {packer: {create: true}}}\n")
			}, unaided: true, undo: first,
		},
		{
			name: "an expression that can't be evaluated", kind: landfall.KindConfiguration, code: "expression_failed",
			make: func(k *kinds) {
				k.phone.Do("set", k.crate, "x_note=too long for a seal")
				under(edits("type: text}\n      x_owner", "type: text, max: 10}\n      x_owner", "x_seal:  {title: Seal,", "x_seal:  {title: Seal, set: {x_seals: record.x_note},"), "move", "x_seal")(k)
			},
			text: "An expression of Crate in the app definition can't be evaluated.",
			hint: "An administrator must mend it and publish the app; then this is tried again.",
			mend: republish, unaided: true,
		},
		{
			name: "what the app no longer has", kind: landfall.KindOutdated, code: "outdated",
			make: under(edits("      x_note:   {title: Remark, type: text}\n", "", "x_place, x_note", "x_place"), "set", "x_note=dented"),
			text: `"x_note" is no longer part of the app.`,
			hint: "Publish an app version that has or converts it, and this is tried again; or leave it out (repair), or choose what to keep.",
			mend: republish, unaided: true,
		},
	})
}

// Where somebody else was there meanwhile, a person compares and decides.
func TestRefusedForAConflict(t *testing.T) {
	t.Parallel()
	playKinds(t, []refusal{
		{
			name: "the status has moved", kind: landfall.KindStatus, code: "status_moved",
			make: func(k *kinds) {
				k.phone.Do("set", k.crate, "x_note=dented")
				k.bo.Do("record", "move", k.crate, "x_seal")
				k.phone.Do("sync")
			},
			text: "The Crate has moved to another status since this was entered.", hint: "Compare both sides and decide what to keep.",
			mend: decides("--take", "device"),
		},
		{
			name: "the status is frozen", kind: landfall.KindStatus, code: "status_frozen",
			make: func(k *kinds) {
				k.bo.Do("record", "move", k.crate, "x_seal")
				k.bo.Do("record", "move", k.crate, "x_ship")
				k.phone.Do("sync")
				sends("set", "x_note=dented")(k)
			},
			text: "The Crate is in a status in which nobody changes fields.", hint: "Move it to an open status first, then apply the change.",
			mend: decides("--take", "device", "--before", "x_break"),
		},
		{
			name: "a field is reviewed", kind: landfall.KindField, code: "field_changed",
			make: func(k *kinds) {
				k.phone.Do("set", k.crate, "x_price=6")
				k.bo.Do("record", "set", k.crate, "x_price=7")
				k.phone.Do("sync")
			},
			text: "Price was changed by somebody else at the same time.", hint: "Compare both values and decide which to keep.",
			mend: decides("--take", "device"),
		},
		{
			name: "gone", kind: landfall.KindGone, code: "gone",
			make: func(k *kinds) {
				k.phone.Do("set", k.crate, "x_note=dented")
				k.bo.Do("record", "delete", k.crate)
				k.phone.Do("sync")
			},
			text: "The record of type Crate was deleted.", hint: "Take the device's side to restore it with these changes, or the server's to leave it deleted.",
			mend: decides("--take", "device"),
		},
		{
			name: "made twice", kind: landfall.KindDuplicate, code: "duplicate",
			make: func(k *kinds) {
				k.raw.push(fmt.Sprintf(`"op":"create","type":"x_crate","id":%q,"set":{"x_name":"Again"}`, k.crate))
			},
			text: "A record of type Crate with this id is there already.", hint: "Compare both, and decide which values to keep.",
			mend: decides("--take", "device"),
		},
		{
			name: "out of sight", kind: landfall.KindNotAvailable, code: "not_available",
			make: func(k *kinds) {
				k.phone.Do("set", k.crate, "x_note=dented")
				k.bo.Do("record", "set", k.crate, "x_owner=bo")
				k.phone.Do("sync")
			},
			text: "The record is not available.", hint: "It may have been deleted, or access to it was taken away: when it is available again, this is tried again.",
			mend: func(k *kinds, _ string) { k.bo.Do("record", "set", k.crate, "x_owner=emma") }, unaided: true,
		},
	})
}

// What goes wrong with clients and devices is kept, too, with all that is known.
//
// The kind internal is not here: nothing that a device can send provokes it.
func TestRefusedForTheDevice(t *testing.T) {
	t.Parallel()
	playKinds(t, []refusal{
		{
			name: "can't be read", kind: landfall.KindMalformed, code: "unknown_op",
			make: func(k *kinds) {
				k.raw.push(fmt.Sprintf(`"op":"uptade","type":"x_crate","id":%q,"set":{"x_note":"dented"}`, k.crate))
			},
			text: "Its op is not one that this server knows.", hint: "This is a fault of the client: update it. What was sent is kept, and can be repaired.",
			mend: repairs("--op", "update"),
		},
		{
			name: "lost", kind: landfall.KindLost, code: "lost",
			make: func(k *kinds) {
				tablet := k.Device("tablet", "emma", k.URL)
				tablet.Do("sync")
				tablet.Do("set", k.crate, "x_note=dented")
				tablet.Do("logout", "--discard")
			},
			text: "The device no longer has what was entered under this number.", hint: "Ask its user what it was, and enter it again if it still matters; then take the server's side.",
			mend: func(k *kinds, issue string) {
				k.bo.Do("record", "set", k.crate, "x_note=dented")
				k.ada.Do("issue", "resolve", issue, "--take", "server", "--note", "entered again")
			}, ends: landfall.SettledKept,
		},
		{
			name: "a copied device", kind: landfall.KindFork, code: "fork",
			make: func(k *kinds) {
				copied := &Device{w: k.World, Folder: "copy"}
				if err := os.CopyFS(k.path("copy"), os.DirFS(k.path("phone"))); err != nil {
					k.t.Fatal(err)
				}
				k.phone.Do("set", k.crate, "x_note=dented")
				k.phone.Do("sync", "--exit-code")
				copied.Do("set", k.crate, "x_weight=12")
				copied.Do("sync")
			},
			text: "The device has sent another change under this number before: it was restored or copied.", hint: "Compare both sides, and decide which values to keep.",
			mend: decides("--take", "device"),
		},
	})
}
