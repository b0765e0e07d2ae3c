-- A name space that people share. Written by its creator or by staff; deleted when empty.
CREATE TABLE scopes (
    scope TEXT NOT NULL PRIMARY KEY,
    -- The name without hyphens: two scopes that differ in hyphens alone cannot both exist.
    skeleton TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    creator_id UUID NOT NULL REFERENCES users (id),
    package_limit BIGINT NOT NULL,
    new_package_per_week_limit BIGINT NOT NULL,
    publish_attempts_per_week_limit BIGINT NOT NULL,
    verify_oidc_actor BOOLEAN NOT NULL,
    require_publishing_from_ci BOOLEAN NOT NULL,
    -- An object with the limits in which this scope differs from the configuration; null when in none.
    upload_limits JSONB,
    -- Counts every change of the scope and its members; its record in the private store shows one of these states.
    generation BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX scopes_by_creator ON scopes (creator_id);

-- Who belongs to a scope. Written with the scope and by its admins.
CREATE TABLE scope_members (
    scope TEXT NOT NULL REFERENCES scopes (scope),
    user_id UUID NOT NULL REFERENCES users (id),
    is_admin BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scope, user_id)
);
CREATE INDEX scope_members_by_user ON scope_members (user_id);

-- A package, with or without versions. Written by members of its scope; deleted while it has no versions.
CREATE TABLE packages (
    scope TEXT NOT NULL REFERENCES scopes (scope),
    name TEXT NOT NULL,
    -- The name without hyphens, unique inside the scope.
    skeleton TEXT NOT NULL,
    description TEXT NOT NULL,
    repository_owner TEXT,
    repository_name TEXT,
    repository_id BIGINT,
    is_archived BOOLEAN NOT NULL,
    readme_source TEXT NOT NULL CHECK (readme_source IN ('readme', 'jsdoc')),
    -- An object `{"deno": true, …}`.
    runtime_compat JSONB NOT NULL,
    -- An object from dist-tag to version, `{"next": "2.0.0-rc.1"}`, without `latest`. Never of a yanked version.
    dist_tags JSONB NOT NULL,
    -- Counts every change that readers should see; `announced` is the last one that its public documents show.
    generation BIGINT NOT NULL,
    announced BIGINT NOT NULL,
    -- Counts every change of whom the package trusts in CI; its record of those shows one of these states, and 0 has none.
    trust_generation BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scope, name),
    UNIQUE (scope, skeleton)
);

-- A version whose bytes are fixed. Written by the commit of a publish and by nothing else; `is_yanked` is the one thing about it
-- that changes afterwards, apart from `stored_generation` and `stored_at`, which are set once.
CREATE TABLE versions (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    -- Semver precedence as bytes (`common::ids::SortKey`).
    sort_key BYTEA NOT NULL,
    -- The same without build metadata: `1.0.0` and `1.0.0+a` are one version to every client, so there is at most one of them.
    precedence BYTEA NOT NULL,
    is_stable BOOLEAN NOT NULL,
    is_yanked BOOLEAN NOT NULL,
    task_id UUID NOT NULL,
    user_id UUID REFERENCES users (id),
    -- A JSON object from export key to file, in the author's order, which JSONB would not keep.
    exports TEXT NOT NULL,
    license TEXT,
    readme_path TEXT,
    uses_npm BOOLEAN NOT NULL,
    augmentations BOOLEAN NOT NULL,
    -- SHA-256 of `<version>_meta.json`, which lists every file with its own digest.
    meta_sha256 BYTEA NOT NULL,
    -- A JSON object: what the npm documents say of this version, frozen to the byte when it was published.
    npm_manifest TEXT NOT NULL,
    -- The revision of the emit that made the npm tarball.
    npm_revision BIGINT NOT NULL,
    -- An object `{"list": [...]}` with every derived file: kind, digest, size.
    artefacts JSONB NOT NULL,
    -- The generation of the package from which all bytes of this version are in place; null until they are. Public documents
    -- list no version before that.
    stored_generation BIGINT,
    -- When that was noted.
    stored_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scope, name, version),
    UNIQUE (scope, name, precedence),
    FOREIGN KEY (scope, name) REFERENCES packages (scope, name)
);
CREATE INDEX versions_in_order ON versions (scope, name, sort_key);

-- What a version needs from elsewhere. Written with the version.
CREATE TABLE version_dependencies (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('jsr', 'npm')),
    dependency TEXT NOT NULL,
    version_range TEXT NOT NULL,
    -- The sub-path that is imported, without a leading slash, or empty.
    sub_path TEXT NOT NULL,
    PRIMARY KEY (scope, name, version, kind, dependency, version_range, sub_path),
    FOREIGN KEY (scope, name, version) REFERENCES versions (scope, name, version)
);
CREATE INDEX version_dependencies_by_target ON version_dependencies (kind, dependency);
