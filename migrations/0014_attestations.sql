-- By what the registry itself vouches for the npm tarball of a version: a signed statement that says from which upload it was built, as a
-- standard bundle without a log entry. Written with the row, and never changed. Null for versions of earlier builds until housekeeping
-- comes by.
ALTER TABLE versions ADD COLUMN attestation TEXT;

-- The same statement in a bundle that a transparency log knows, signed with the same key or with one that an authority certified. Null
-- until the log has taken it in, and for ever where none is configured or the package is private.
ALTER TABLE versions ADD COLUMN logged TEXT;

-- Whether npm verifies what that log has: it does not know the entries of every kind of log. The npm documents name no other.
ALTER TABLE versions ADD COLUMN is_logged_for_npm BOOLEAN NOT NULL DEFAULT FALSE;
