-- The inbox is searched by type, kind of refusal, operation and device, too, in
-- the order of arrival. ended is when an item was completed, as long as its
-- parameters are there to be cleaned; else 0.
ALTER TABLE items ADD COLUMN type TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN op TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
UPDATE items SET
  type = COALESCE(json_extract(CAST(body AS TEXT), '$.type'), ''),
  op = COALESCE(json_extract(CAST(body AS TEXT), '$.op'), ''),
  kind = COALESCE(
    json_extract(CAST(body AS TEXT), '$.outcome.kind'),
    (SELECT e.value ->> '$.text' FROM json_each(CAST(body AS TEXT), '$.history') e
      WHERE e.value ->> '$.state' = 'completed-with-errors' AND e.value ->> '$.text' <> '' ORDER BY e.key DESC LIMIT 1),
    json_extract(CAST(body AS TEXT), '$.receipt.kind'), '');
-- A time such as 2026-03-01T09:00:01.123Z as nanoseconds.
UPDATE items SET ended = COALESCE((SELECT
    unixepoch(substr(at, 1, 19)) * 1000000000
      + CASE substr(at, 20, 1) WHEN '.' THEN CAST(substr(rtrim(substr(at, 21), 'Z') || '000000000', 1, 9) AS INTEGER) ELSE 0 END
    FROM (SELECT json_extract(CAST(body AS TEXT), '$.history[#-1].at') AS at)), 0)
  WHERE state = 'completed' AND holder = '';
CREATE INDEX items_type ON items (ws, type, arrived) WHERE type <> '';
CREATE INDEX items_kind ON items (ws, kind, arrived) WHERE kind <> '';
-- Most of what comes in are updates: they are found without an index of their own.
CREATE INDEX items_op ON items (ws, op, arrived) WHERE op <> '' AND op <> 'update';
CREATE INDEX items_device ON items (ws, replica, arrived);
CREATE INDEX items_ended ON items (ws, ended, arrived) WHERE ended > 0;

CREATE TABLE settings (ws TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (ws, name)) STRICT, WITHOUT ROWID;
