-- An act: who changed what, with which credential, from where. Written in the transaction of the change itself, or in one of its own for
-- what was refused. Rows are added and never changed or deleted, so nothing here refers to other tables: what an act is about may go, the
-- act stays.
CREATE TABLE audit (
    -- In the order of time.
    id UUID NOT NULL PRIMARY KEY,
    -- What was done, a word of `common::model::audit::Act`. Unknown words are those of newer builds.
    act TEXT NOT NULL,
    -- Who did it: `user`, `staff` (a user, in that office), `ci`, `operator`, `registry` or `anonymous`.
    actor TEXT NOT NULL,
    -- The user who did it, and what they, or the CI job's repository, were called then.
    user_id UUID,
    actor_name TEXT,
    -- With what, an object: the kind, identifier and description of a token, or what a CI token says of its job. Never a secret.
    credential JSONB NOT NULL,
    -- From which address on the network, if it came over one.
    address TEXT,
    -- The scope, package and version that it is about, as far as it is about one, and the user.
    scope TEXT,
    name TEXT,
    version TEXT,
    subject_id UUID,
    -- Why it was refused, a stable code; null for what was done.
    reason TEXT,
    -- An object: what else is worth knowing.
    details JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX audit_by_scope ON audit (scope, id);
CREATE INDEX audit_by_user ON audit (user_id, id);
CREATE INDEX audit_by_subject ON audit (subject_id, id);
-- How much was refused lately is counted before more is written down.
CREATE INDEX audit_by_act ON audit (act, created_at);
