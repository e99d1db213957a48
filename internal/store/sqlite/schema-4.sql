-- Which records name which others, in the fields that rules go by from the other
-- side: whoever sees or is a part of a record is found from it.
CREATE TABLE links (
  ws TEXT NOT NULL, target TEXT NOT NULL, type TEXT NOT NULL, field TEXT NOT NULL, id TEXT NOT NULL,
  PRIMARY KEY (ws, target, type, field, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_id ON links (ws, id);
