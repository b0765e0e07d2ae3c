-- By what the registry itself vouches for the npm tarball of a version: a signed statement that says from which upload it was built, as a
-- standard bundle without a log entry. Written with the row, and never changed. Null for versions of earlier builds until housekeeping
-- comes by.
ALTER TABLE versions ADD COLUMN attestation TEXT;

-- The entry of a transparency log about that statement, as bundles have it. Null until the log has taken it in, and for ever where none is
-- configured or the package is private.
ALTER TABLE versions ADD COLUMN log_entry TEXT;
