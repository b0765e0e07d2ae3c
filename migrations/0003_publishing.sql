-- One attempt to publish one version. Written by the API once the upload is stored; moved on by compare-and-set only.
CREATE TABLE publishes (
    id UUID NOT NULL PRIMARY KEY,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    -- Semver precedence as bytes, without build metadata.
    precedence BYTEA NOT NULL,
    user_id UUID REFERENCES users (id),
    -- The config file named in the request, with a leading slash.
    config TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'checking', 'committed', 'published', 'rejected', 'failed', 'cancelled')),
    -- The publish that the upload came with, which names the object: this one, or the failed one that it tries again.
    upload_id UUID NOT NULL,
    upload_sha256 BYTEA NOT NULL,
    upload_bytes BIGINT NOT NULL,
    -- The attempt that was committed; it names the plan pack. Null before the commit.
    plan_attempt BIGINT,
    -- When a worker first took it up, when the package was judged to be sound, and when the version came to exist.
    claimed_at TIMESTAMPTZ,
    planned_at TIMESTAMPTZ,
    committed_at TIMESTAMPTZ,
    -- The stable code and text that clients show when the state is rejected, failed or cancelled.
    error_code TEXT,
    error_message TEXT,
    -- An object `{"list": [...]}` with every finding, warnings included.
    findings JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (scope, name) REFERENCES packages (scope, name)
);
-- A version that is being published or was published cannot be published again.
CREATE UNIQUE INDEX publishes_block_version ON publishes (scope, name, precedence)
    WHERE state IN ('queued', 'checking', 'committed', 'published');
CREATE INDEX publishes_by_scope ON publishes (scope, created_at);
CREATE INDEX publishes_by_package ON publishes (scope, name, created_at);

-- A piece of asynchronous work: outbox, retry schedule, dead letter and history in one. Written together with the fact that
-- causes it; deleted by housekeeping some time after it is done. One that is parked was promised and cannot be done: a start of
-- a worker, or the operator, has it tried again.
CREATE TABLE jobs (
    id UUID NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    payload JSONB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'parked', 'done', 'failed')),
    -- At most one waiting and at most one working job for each key.
    dedup_key TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    -- How many attempts ended in a crash: without a word, in a panic, or with a fault that time does not heal.
    crashes BIGINT NOT NULL,
    not_before TIMESTAMPTZ NOT NULL,
    lease_until TIMESTAMPTZ,
    -- The process that works on it, for people.
    worker TEXT,
    rung_at TIMESTAMPTZ NOT NULL,
    last_fault TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX jobs_one_queued ON jobs (dedup_key) WHERE state = 'queued';
CREATE UNIQUE INDEX jobs_one_running ON jobs (dedup_key) WHERE state = 'running';
CREATE INDEX jobs_open ON jobs (rung_at) WHERE state IN ('queued', 'running');

-- The addresses that the public documents state. One row, written by a worker that starts with others than those before, and by the
-- job that has every package announced under them; never deleted.
CREATE TABLE addresses (
    -- `stated`.
    name TEXT NOT NULL PRIMARY KEY,
    -- `public_url` and `npm_url` with a blank between them.
    urls TEXT NOT NULL,
    -- The package behind which announcing goes on; null at the beginning.
    after_key TEXT,
    -- Whether every package states them.
    is_done BOOLEAN NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

-- How far a round through objects has come that is too long to be made at once. Written by housekeeping; never deleted.
CREATE TABLE rounds (
    name TEXT NOT NULL PRIMARY KEY,
    -- The last key that was looked at; null between two rounds.
    after_key TEXT,
    updated_at TIMESTAMPTZ NOT NULL
);
