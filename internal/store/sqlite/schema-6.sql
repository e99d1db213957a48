-- next is when the server tries an issue again by itself; 0 for never. The other
-- columns are what issues of one cause are counted by.
ALTER TABLE issues ADD COLUMN next INTEGER NOT NULL DEFAULT 0;
ALTER TABLE issues ADD COLUMN assignee TEXT NOT NULL DEFAULT '';
ALTER TABLE issues ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE issues ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE issues ADD COLUMN received INTEGER NOT NULL DEFAULT 0;
UPDATE issues SET
  assignee = ifnull(json_extract(CAST(body AS TEXT), '$.Assignee'), ''),
  device = ifnull(json_extract(CAST(body AS TEXT), '$.Issue.device'), ''),
  kind = ifnull(json_extract(CAST(body AS TEXT), '$.Issue.kind'), ''),
  received = ifnull(CAST(strftime('%s', json_extract(CAST(body AS TEXT), '$.Issue.received_at')) AS INTEGER) * 1000000000, 0);
CREATE INDEX issues_due ON issues (ws, next, number) WHERE next > 0;
CREATE INDEX issues_open_cause ON issues (ws, cause, number) WHERE state <> 'resolved';
CREATE INDEX issues_open_author ON issues (ws, author, number) WHERE state <> 'resolved';
CREATE INDEX issues_alike ON issues (ws, cause, kind, queue, assignee, author, device, number, received) WHERE state <> 'resolved';

-- How many unresolved issues are alike, so that nobody has to count them.
CREATE TABLE alike (
  ws TEXT NOT NULL, cause TEXT NOT NULL, kind TEXT NOT NULL, queue TEXT NOT NULL, assignee TEXT NOT NULL, author TEXT NOT NULL, device TEXT NOT NULL,
  n INTEGER NOT NULL, PRIMARY KEY (ws, cause, kind, queue, assignee, author, device)
) STRICT, WITHOUT ROWID;
INSERT INTO alike SELECT ws, cause, kind, queue, assignee, author, device, count(*) FROM issues WHERE state <> 'resolved' GROUP BY ws, cause, kind, queue, assignee, author, device;
CREATE TRIGGER issues_added AFTER INSERT ON issues WHEN new.state <> 'resolved' BEGIN
  INSERT INTO alike VALUES (new.ws, new.cause, new.kind, new.queue, new.assignee, new.author, new.device, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER issues_changed AFTER UPDATE ON issues
WHEN (old.state = 'resolved') <> (new.state = 'resolved') OR old.cause <> new.cause OR old.kind <> new.kind OR old.queue <> new.queue
  OR old.assignee <> new.assignee OR old.author <> new.author OR old.device <> new.device BEGIN
  UPDATE alike SET n = n - 1 WHERE old.state <> 'resolved' AND ws = old.ws AND cause = old.cause AND kind = old.kind AND queue = old.queue AND assignee = old.assignee AND author = old.author AND device = old.device;
  DELETE FROM alike WHERE n = 0 AND ws = old.ws AND cause = old.cause AND kind = old.kind AND queue = old.queue AND assignee = old.assignee AND author = old.author AND device = old.device;
  INSERT INTO alike SELECT new.ws, new.cause, new.kind, new.queue, new.assignee, new.author, new.device, 1 WHERE new.state <> 'resolved' ON CONFLICT DO UPDATE SET n = n + 1;
END;

-- What held items touch or refer to, whoever's they are: when one of these
-- records changes, they may pass.
CREATE TABLE mentions (
  ws TEXT NOT NULL, record TEXT NOT NULL, replica TEXT NOT NULL, incarnation INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (ws, record, replica, incarnation, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX mentions_item ON mentions (ws, replica, incarnation, n);
INSERT INTO mentions (ws, record, replica, incarnation, n) SELECT ws, record, replica, incarnation, n FROM lanes;

-- Work that goes on after the transaction that gave rise to it.
CREATE TABLE sweeps (
  ws TEXT NOT NULL, kind TEXT NOT NULL, object TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (ws, kind, object)
) STRICT, WITHOUT ROWID;

-- Issues from before are tried by the server once, and from then on by its schedule.
INSERT INTO sweeps (ws, kind, object, body)
SELECT DISTINCT ws, 'definition', '', CAST('{"Kind":"definition","Object":"","Why":"the server was brought up to date","After":""}' AS BLOB) FROM issues WHERE state <> 'resolved';
