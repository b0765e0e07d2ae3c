-- Who may read a package: `public`, `private` (its objects are in the private store), or `opening` (private, and being copied to the public
-- store). Written by admins of the scope; `opening` becomes `public` by the job that copies, and never goes back once something is public.
ALTER TABLE packages ADD COLUMN visibility TEXT NOT NULL DEFAULT 'public' CHECK (visibility IN ('public', 'private', 'opening'));

-- Whether the scope is known to its members alone, and none of its packages may be public. Written by its admins.
ALTER TABLE scopes ADD COLUMN is_private BOOLEAN NOT NULL DEFAULT FALSE;
