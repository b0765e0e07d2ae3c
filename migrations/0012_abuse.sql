-- Why staff lets nobody publish or change anything in a scope; null where it does. Written and taken back by staff.
ALTER TABLE scopes ADD COLUMN frozen TEXT;

-- How often somebody did something that is limited, since the first time within an hour. Written with each such act, and deleted by
-- housekeeping when it means nothing any more.
CREATE TABLE rates (
    -- What is done, and by whom or where: `invites scope acme`.
    subject TEXT NOT NULL PRIMARY KEY,
    began_at TIMESTAMPTZ NOT NULL,
    used BIGINT NOT NULL
);
CREATE INDEX rates_by_age ON rates (began_at);

-- The scope and package that a ticket is about, for staff who look for what was reported; null where it is about neither, and for those that
-- were opened before.
ALTER TABLE tickets ADD COLUMN scope TEXT;
ALTER TABLE tickets ADD COLUMN name TEXT;
CREATE INDEX tickets_by_package ON tickets (scope, name, created_at);
