-- Where a version came from, as a signature says that was verified. Written once when a client hands it in, and by a rebuild; never
-- changed; goes with its version.
CREATE TABLE provenances (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    -- What kind of statement it is, an address.
    predicate_type TEXT NOT NULL,
    -- An object: the CI job that signed.
    job JSONB NOT NULL,
    log_index TEXT,
    logged_at TIMESTAMPTZ,
    -- A standard Sigstore bundle. Its statement is signed as encoded text, so the order of its keys does not matter.
    bundle JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scope, name, version),
    FOREIGN KEY (scope, name, version) REFERENCES versions (scope, name, version) ON DELETE CASCADE
);
