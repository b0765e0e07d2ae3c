-- From where a credential works, an object `{"list": [...]}` of networks; null means from everywhere. Written when it is made.
ALTER TABLE tokens ADD COLUMN networks JSONB;
-- When it was last shown, to within an hour. Written by whoever finds out whose it is.
ALTER TABLE tokens ADD COLUMN last_used_at TIMESTAMPTZ;
-- The same of what an approved device is given: the networks of the session that approved it. Written with the approval.
ALTER TABLE authorizations ADD COLUMN networks JSONB;
