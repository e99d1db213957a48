-- Devices are found by their state and by their last contact (in quarters of an
-- hour, so that a device that calls often does not move each time), a push knows
-- who landed it, and what of a device is open is counted by an index of that alone.
ALTER TABLE replicas ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE replicas ADD COLUMN contact INTEGER NOT NULL DEFAULT 0;
UPDATE replicas SET
  state = CASE WHEN credential = '' THEN 'revoked' WHEN json_extract(CAST(body AS TEXT), '$.Blocked') THEN 'blocked' ELSE 'active' END,
  contact = max(0, ifnull(unixepoch(json_extract(CAST(body AS TEXT), '$.LastContact')), 0) / 900);
CREATE INDEX replicas_state ON replicas (ws, state, id) WHERE state <> 'active';
CREATE INDEX replicas_contact ON replicas (ws, contact, id);
ALTER TABLE pushes ADD COLUMN by TEXT NOT NULL DEFAULT '';
CREATE INDEX items_open ON items (ws, replica, incarnation) WHERE state <> 'completed' AND state <> 'withdrawn';
