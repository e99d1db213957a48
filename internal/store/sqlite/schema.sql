-- Every table leads with the workspace. Bodies are JSON; what is looked up by
-- index stands beside them. Times are nanoseconds since 1970, UTC.
CREATE TABLE heads (ws TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- A commit holds the sequences after the one before it, up to last.
CREATE TABLE commits (ws TEXT NOT NULL, last INTEGER NOT NULL, mark TEXT NOT NULL, PRIMARY KEY (ws, last)) STRICT, WITHOUT ROWID;

CREATE TABLE definitions (ws TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (ws, version)) STRICT, WITHOUT ROWID;

-- body is the record as devices get it, edits who edited its fields, keys the
-- audience that may receive it, gone_keys those that it left, each with the
-- version at which it did. schema-3.sql has more.
CREATE TABLE records (
  ws TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
  number TEXT NOT NULL, queue TEXT NOT NULL, assignee TEXT NOT NULL, deleted INTEGER NOT NULL,
  keys TEXT NOT NULL, gone_keys TEXT NOT NULL, edits BLOB NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (ws, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX records_number ON records (ws, number) WHERE number <> '';
CREATE INDEX records_queue ON records (ws, queue, version, id) WHERE queue <> '';
CREATE INDEX records_assignee ON records (ws, assignee, version, id) WHERE assignee <> '';

-- One entry a record and key, the latest. The row of the record knows where
-- its entries are: at its version, or in gone_keys.
CREATE TABLE feed (
  ws TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, gone INTEGER NOT NULL,
  PRIMARY KEY (ws, key, seq, id)
) STRICT, WITHOUT ROWID;

-- What is under a key now, to list it by type.
CREATE TABLE members (
  ws TEXT NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
  PRIMARY KEY (ws, key, type, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
  ws TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, idx INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (ws, id, seq, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE uniques (
  ws TEXT NOT NULL, type TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,
  PRIMARY KEY (ws, type, field, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX uniques_id ON uniques (ws, id);

CREATE TABLE counters (ws TEXT NOT NULL, series TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (ws, series)) STRICT, WITHOUT ROWID;

CREATE TABLE issues (
  ws TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, queue TEXT NOT NULL,
  author TEXT NOT NULL, record TEXT NOT NULL, cause TEXT NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX issues_id ON issues (ws, id);
CREATE UNIQUE INDEX issues_number ON issues (ws, number);
CREATE INDEX issues_unresolved ON issues (ws, number) WHERE state <> 'resolved';
CREATE INDEX issues_queue ON issues (ws, queue, number);
CREATE INDEX issues_author ON issues (ws, author, number);
CREATE INDEX issues_record ON issues (ws, record, number);
CREATE INDEX issues_cause ON issues (ws, cause, number);

CREATE TABLE grants (
  ws TEXT NOT NULL, user TEXT NOT NULL, seq INTEGER NOT NULL, key TEXT NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (ws, user, seq, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE pushes (n INTEGER PRIMARY KEY AUTOINCREMENT, ws TEXT NOT NULL, replica TEXT NOT NULL, received INTEGER NOT NULL, tried INTEGER NOT NULL, trying INTEGER NOT NULL, tries INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX pushes_ws ON pushes (ws, n);

-- arrived orders items: when they were received, and later than every one before.
CREATE TABLE items (
  ws TEXT NOT NULL, arrived INTEGER NOT NULL, replica TEXT NOT NULL, incarnation INTEGER NOT NULL, n INTEGER NOT NULL,
  received INTEGER NOT NULL, edited INTEGER NOT NULL, state TEXT NOT NULL, user TEXT NOT NULL, record TEXT NOT NULL,
  holder TEXT NOT NULL, settled INTEGER NOT NULL, hash BLOB NOT NULL, sent BLOB NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (ws, arrived)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX items_key ON items (ws, replica, incarnation, n);
CREATE INDEX items_user ON items (ws, user, arrived);
CREATE INDEX items_record ON items (ws, record, arrived) WHERE record <> '';
CREATE INDEX items_troubled ON items (ws, state, arrived) WHERE state <> 'completed';
CREATE INDEX items_holder ON items (ws, holder, replica, incarnation, n) WHERE holder <> '';
CREATE INDEX items_settled ON items (ws, replica, settled, incarnation, n) WHERE settled > 0;

-- What held items touch or refer to, for the lanes.
CREATE TABLE lanes (
  ws TEXT NOT NULL, replica TEXT NOT NULL, record TEXT NOT NULL, incarnation INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (ws, replica, record, incarnation, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX lanes_item ON lanes (ws, replica, incarnation, n);

CREATE TABLE users (ws TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (ws, name)) STRICT, WITHOUT ROWID;
CREATE TABLE teams (ws TEXT NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL, PRIMARY KEY (ws, name)) STRICT, WITHOUT ROWID;
CREATE TABLE sessions (hash TEXT PRIMARY KEY, ws TEXT NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE codes (hash TEXT PRIMARY KEY, ws TEXT NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE replicas (
  ws TEXT NOT NULL, id TEXT NOT NULL, user TEXT NOT NULL, credential TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (ws, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX replicas_user ON replicas (ws, user, id);
CREATE INDEX replicas_credential ON replicas (credential) WHERE credential <> '';

-- Who did what. at never runs backwards as seq goes on; area is the beginning
-- of the action, up to its dot.
CREATE TABLE audit (
  ws TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, device TEXT NOT NULL,
  area TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (ws, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_at ON audit (ws, at, seq);
CREATE INDEX audit_by ON audit (ws, by, seq);
CREATE INDEX audit_device ON audit (ws, device, seq) WHERE device <> '';
CREATE INDEX audit_area ON audit (ws, area, seq);
CREATE INDEX audit_action ON audit (ws, action, seq);
CREATE INDEX audit_object ON audit (ws, object, seq) WHERE object <> '';
