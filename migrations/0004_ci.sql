-- A CI identity that a package trusts: its jobs publish without a token. Written and deleted by admins of the scope and by the
-- operator; goes with its package. What is not demanded is an empty text, so that one row of each kind is a matter of the key.
CREATE TABLE trusted_publishers (
    id UUID NOT NULL PRIMARY KEY,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    -- What tokens say in `iss`, to the letter.
    issuer TEXT NOT NULL,
    -- What the repository was called when it was trusted; for people.
    repository TEXT NOT NULL,
    -- By what it is known, whatever it is called.
    repository_id TEXT NOT NULL,
    workflow TEXT NOT NULL,
    -- A pattern for the branch or tag.
    reference TEXT NOT NULL,
    environment TEXT NOT NULL,
    created_by UUID REFERENCES users (id),
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (scope, name, issuer, repository_id, workflow, reference, environment),
    FOREIGN KEY (scope, name) REFERENCES packages (scope, name) ON DELETE CASCADE
);

-- The CI job that asked for a publish, as its token said. Written with the publish and never changed; goes with it.
CREATE TABLE ci_publishes (
    task_id UUID NOT NULL PRIMARY KEY REFERENCES publishes (id) ON DELETE CASCADE,
    -- An object: issuer, repository, ref, workflow and what else is known of the job.
    job JSONB NOT NULL
);

-- What a CI token was used for: each permission in it publishes once. Written with the publish; deleted by housekeeping when the token
-- is void for whoever's clock is slowest.
CREATE TABLE ci_uses (
    issuer TEXT NOT NULL,
    -- What the issuer calls the token, or the digest of what was signed.
    token TEXT NOT NULL,
    -- What was published: a package, or one version of it.
    subject TEXT NOT NULL,
    void_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (issuer, token, subject)
);
CREATE INDEX ci_uses_by_end ON ci_uses (void_at);
