-- Somebody who is asked to belong to a scope: one with an account, or whoever has an account with an address for mail. Written and
-- withdrawn by the scope's admins; deleted when it is accepted or declined, when the admin who wrote it runs the scope no longer
-- or is blocked, and with the scope.
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
CREATE INDEX scope_invites_by_author ON scope_invites (requested_by);

-- What a name looks like (`common::ids::likeness`): no two that were made by their owners look alike. It is null for a name that staff gave
-- out beside another one, and for the younger ones of those that were there before names were compared.
ALTER TABLE scopes ADD COLUMN likeness TEXT;
UPDATE scopes SET likeness = REPLACE(REPLACE(REPLACE(skeleton, '0', 'o'), '1', 'l'), 'm', 'rn');
UPDATE scopes SET likeness = NULL
WHERE EXISTS (SELECT 1 FROM scopes AS older
              WHERE older.likeness = scopes.likeness
              AND (older.created_at < scopes.created_at OR older.created_at = scopes.created_at AND older.scope < scopes.scope));
CREATE UNIQUE INDEX scopes_by_likeness ON scopes (likeness);

-- The same for the names of packages, each scope by itself.
ALTER TABLE packages ADD COLUMN likeness TEXT;
UPDATE packages SET likeness = REPLACE(REPLACE(REPLACE(skeleton, '0', 'o'), '1', 'l'), 'm', 'rn');
UPDATE packages SET likeness = NULL
WHERE EXISTS (SELECT 1 FROM packages AS older
              WHERE older.scope = packages.scope AND older.likeness = packages.likeness
              AND (older.created_at < packages.created_at OR older.created_at = packages.created_at AND older.name < packages.name));
CREATE UNIQUE INDEX packages_by_likeness ON packages (scope, likeness);

-- What somebody published last is shown on their page.
CREATE INDEX versions_by_user ON versions (user_id, created_at);

-- Somebody asks the staff for something, or reports something. Written by a user; answered and closed by staff, never deleted.
CREATE TABLE tickets (
    id UUID NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('user_scope_quota_increase', 'scope_quota_increase', 'scope_claim', 'package_report', 'other')),
    creator_id UUID NOT NULL REFERENCES users (id),
    -- An object that says what it is about, such as a scope.
    meta JSONB NOT NULL,
    is_closed BOOLEAN NOT NULL,
    -- Whether the last word is somebody else's than the creator's.
    is_answered BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX tickets_by_creator ON tickets (creator_id, created_at);
CREATE INDEX tickets_by_age ON tickets (created_at);

-- What was said about a ticket, by its creator or by staff. Never changed or deleted.
CREATE TABLE ticket_messages (
    ticket_id UUID NOT NULL REFERENCES tickets (id),
    -- Counts the messages of a ticket from zero.
    place BIGINT NOT NULL,
    author_id UUID NOT NULL REFERENCES users (id),
    message TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (ticket_id, place)
);
