-- Somebody who is asked to belong to a scope: one with an account, or whoever has an account with an address for mail. Written and
-- withdrawn by the scope's admins; deleted when it is accepted or declined, when the admin who wrote it runs the scope no longer, and
-- with the scope.
CREATE TABLE scope_invites (
    id UUID NOT NULL PRIMARY KEY,
    scope TEXT NOT NULL REFERENCES scopes (scope) ON DELETE CASCADE,
    -- Who is asked, by their account or by an address in lower case; the other one is null.
    user_id UUID REFERENCES users (id),
    email TEXT,
    -- The admin who asks.
    requested_by UUID NOT NULL REFERENCES users (id),
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (scope, user_id),
    UNIQUE (scope, email)
);
CREATE INDEX scope_invites_by_user ON scope_invites (user_id);
CREATE INDEX scope_invites_by_email ON scope_invites (email);
