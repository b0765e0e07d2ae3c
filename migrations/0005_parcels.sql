-- What a job carries with it: the plan pack of a small package, from the commit until every object is in its place. Written with the job,
-- null again when it is done.
ALTER TABLE jobs ADD COLUMN parcel BYTEA;
