-- A version that staff keeps from everybody: it is neither listed nor served, and its `stored_generation` is null as long as this row
-- stands. What is stored of it lies in the quarantine. Written by staff; deleted when what lies there was put back.
CREATE TABLE quarantines (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    -- `held`, or `releasing`: staff lets it go, and its objects are being put back.
    state TEXT NOT NULL CHECK (state IN ('held', 'releasing')),
    -- Why, in words for those who depend on it.
    reason TEXT NOT NULL,
    -- The generation of the package from which readers are not shown it any more. Its objects stay where they are until then.
    generation BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scope, name, version),
    FOREIGN KEY (scope, name, version) REFERENCES versions (scope, name, version)
);
CREATE INDEX quarantines_by_age ON quarantines (created_at);
