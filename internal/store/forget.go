package store

import "github.com/landfall-sync/landfall"

// Forgetful is a Writer on what is only read: all that is written is forgotten.
// Under a Batch, verdicts are made on it as they would be made and committed,
// and nothing of them is stored.
type Forgetful struct{ Reader }

var _ Writer = Forgetful{}

// CreateWorkspace implements Writer.
func (Forgetful) CreateWorkspace(string, Head) error { return nil }

// SetHead implements Writer.
func (Forgetful) SetHead(string, Head) error { return nil }

// PutRecord implements Writer.
func (Forgetful) PutRecord(string, *landfall.Record, []string) error { return nil }

// PutRow implements Writer.
func (Forgetful) PutRow(string, *Row, *landfall.Record, []string) error { return nil }

// Regroup implements Writer.
func (Forgetful) Regroup(string, string, []string, int64) error { return nil }

// AddChange implements Writer.
func (Forgetful) AddChange(string, *landfall.Change) error { return nil }

// SetUnique implements Writer.
func (Forgetful) SetUnique(string, string, string, map[string]string) error { return nil }

// SetLinks implements Writer.
func (Forgetful) SetLinks(string, string, string, []landfall.Link) error { return nil }

// SetSetting implements Writer.
func (Forgetful) SetSetting(string, SettingRow) error { return nil }

// DeleteSetting implements Writer.
func (Forgetful) DeleteSetting(string, string) error { return nil }

// PutSweep implements Writer.
func (Forgetful) PutSweep(string, Sweep) error { return nil }

// DeleteSweep implements Writer.
func (Forgetful) DeleteSweep(string, Sweep) error { return nil }

// SetCounter implements Writer.
func (Forgetful) SetCounter(string, string, int64) error { return nil }

// PutIssue implements Writer.
func (Forgetful) PutIssue(string, *IssueRow) error { return nil }

// PutGrant implements Writer.
func (Forgetful) PutGrant(string, GrantRow) error { return nil }

// PutDefinition implements Writer.
func (Forgetful) PutDefinition(string, *DefinitionRow) error { return nil }

// AddPush implements Writer.
func (Forgetful) AddPush(string, *Push) error { return nil }

// MarkPush implements Writer.
func (Forgetful) MarkPush(string, *Push) error { return nil }

// DeletePush implements Writer.
func (Forgetful) DeletePush(string, int64) error { return nil }

// PutItem implements Writer.
func (Forgetful) PutItem(string, *Item) error { return nil }

// AddItem implements Writer.
func (Forgetful) AddItem(string, *Item) error { return nil }

// PutUser implements Writer.
func (Forgetful) PutUser(string, *User) error { return nil }

// PutTeam implements Writer.
func (Forgetful) PutTeam(string, Team) error { return nil }

// PutSession implements Writer.
func (Forgetful) PutSession(string, *Session) error { return nil }

// DeleteSession implements Writer.
func (Forgetful) DeleteSession(string) error { return nil }

// PutCode implements Writer.
func (Forgetful) PutCode(string, *Code) error { return nil }

// DeleteCode implements Writer.
func (Forgetful) DeleteCode(string) error { return nil }

// PutReplica implements Writer.
func (Forgetful) PutReplica(string, *Replica) error { return nil }

// AddAudit implements Writer.
func (Forgetful) AddAudit(string, *AuditEntry) error { return nil }
