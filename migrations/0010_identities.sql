-- Somebody's account elsewhere, with which they sign in here. Written when they first do, or link it; deleted by its owner, never the last
-- way in.
CREATE TABLE identities (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    -- Of what kind the provider is, which says what `subject` and `login` mean.
    kind TEXT NOT NULL CHECK (kind IN ('github', 'gitlab', 'oidc')),
    -- Who vouches for it: the issuer of tokens, or the address of a GitHub.
    issuer TEXT NOT NULL,
    -- Under what it is known there for good.
    subject TEXT NOT NULL,
    -- What it was called there when it was last seen, in lower case; null when it has no name, or somebody else was seen with it since.
    login TEXT,
    -- The address for mail that the provider had verified when it was last seen.
    email TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    UNIQUE (issuer, subject)
);
CREATE INDEX identities_by_user ON identities (user_id);
CREATE INDEX identities_by_login ON identities (login);

-- A sign-in through a provider that was finished, so that it is not finished twice. Written with what it did; deleted by housekeeping
-- when it would be refused for its age anyway.
CREATE TABLE sign_in_uses (
    -- SHA-256 of what ties it to a browser.
    state_hash BYTEA NOT NULL PRIMARY KEY,
    void_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sign_in_uses_by_end ON sign_in_uses (void_at);

-- A link that signs somebody in once. Written by the operator, deleted when it is used, or by housekeeping after it expired.
CREATE TABLE sign_in_links (
    -- SHA-256 of the secret in it.
    hash BYTEA NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sign_in_links_by_end ON sign_in_links (expires_at);
