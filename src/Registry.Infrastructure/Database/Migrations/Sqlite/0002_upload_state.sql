-- The store's own word for where an upload's bytes are; opaque to everybody else.
ALTER TABLE uploads ADD COLUMN state TEXT;
-- Until then one request has the session for itself. Counts only where several processes share the database.
ALTER TABLE uploads ADD COLUMN claimed_until INTEGER NOT NULL DEFAULT 0;
