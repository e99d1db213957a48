-- Records are found by their type, and places says of more entries where they
-- are: those of keys that the record left, and those of keys that it came under
-- without a new version. All others are at its version.
ALTER TABLE records RENAME COLUMN gone_keys TO places;
ALTER TABLE records ADD COLUMN type TEXT NOT NULL DEFAULT '';
UPDATE records SET type = json_extract(CAST(body AS TEXT), '$.type');
CREATE INDEX records_type ON records (ws, type, id);
