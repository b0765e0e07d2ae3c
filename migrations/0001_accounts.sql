-- A person, or a robot that acts like one. Written by `slipway up` (the first admin), `slipway admin user create` and, later,
-- sign-in. Never deleted: what they published names them.
CREATE TABLE users (
    id UUID NOT NULL PRIMARY KEY,
    -- The name that identifies the account on the command line; lower case.
    login TEXT NOT NULL UNIQUE,
    -- The name that is shown.
    name TEXT NOT NULL,
    email TEXT,
    avatar_url TEXT NOT NULL,
    is_staff BOOLEAN NOT NULL,
    is_blocked BOOLEAN NOT NULL,
    scope_limit BIGINT NOT NULL,
    -- Counts every change; the record of the user in the private store shows one of these states.
    generation BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

-- A credential. The secret itself is never stored, only its SHA-256. Written when a person or device is given one; deleted by
-- its owner, or by housekeeping some time after it expired.
CREATE TABLE tokens (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    hash BYTEA NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('web', 'device', 'personal')),
    description TEXT,
    -- An object `{"list": [...]}`; null means everything the user may do.
    permissions JSONB,
    -- The token that a session was opened with: the session goes when the token does.
    opened_by UUID REFERENCES tokens (id) ON DELETE CASCADE,
    expires_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX tokens_by_user ON tokens (user_id);
CREATE INDEX tokens_by_opener ON tokens (opened_by);

-- A device that asks a person for permission to publish. Written by the device, decided once by the person, deleted when the
-- device collects the answer, or by housekeeping after it expired.
CREATE TABLE authorizations (
    id UUID NOT NULL PRIMARY KEY,
    -- What the person types or follows, `ABCD-EFGH`.
    code TEXT NOT NULL UNIQUE,
    -- SHA-256 of the secret with which the device collects the answer.
    exchange_hash BYTEA NOT NULL UNIQUE,
    -- Base64 of the SHA-256 of the verifier that only the device knows.
    challenge TEXT NOT NULL,
    permissions JSONB,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied')),
    user_id UUID REFERENCES users (id),
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
-- What is open is counted before more is taken down.
CREATE INDEX authorizations_by_end ON authorizations (expires_at);
