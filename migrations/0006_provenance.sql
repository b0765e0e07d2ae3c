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
    -- Who says when its certificate was used: log, timestamp or publish.
    time_from TEXT NOT NULL,
    log_index TEXT,
    logged_at TIMESTAMPTZ,
    -- A standard Sigstore bundle. A text, because it may have characters that PostgreSQL's JSONB has not.
    bundle TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scope, name, version),
    FOREIGN KEY (scope, name, version) REFERENCES versions (scope, name, version) ON DELETE CASCADE
);

-- A bundle that was handed in while the transparency log was away, and waits for it; or why it was refused then. Written when it is handed
-- in and when it is looked at; goes when another one is verified, and with its version.
CREATE TABLE unverified_provenances (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    -- As it was sent; none when it was refused.
    bundle TEXT,
    -- The step that it did not get past, and why; none while it waits.
    step TEXT,
    why TEXT,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scope, name, version),
    FOREIGN KEY (scope, name, version) REFERENCES versions (scope, name, version) ON DELETE CASCADE
);
