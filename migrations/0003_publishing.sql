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
    upload_sha256 BYTEA NOT NULL,
    upload_bytes BIGINT NOT NULL,
    -- The attempt that was committed; it names the plan pack. Null before the commit.
    plan_attempt BIGINT,
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
-- causes it; deleted by housekeeping some time after it is done.
CREATE TABLE jobs (
    id UUID NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    payload JSONB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    -- At most one waiting and at most one working job for each key.
    dedup_key TEXT NOT NULL,
    attempt BIGINT NOT NULL,
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
