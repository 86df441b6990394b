-- Until then, one worker brings the store's copy into agreement; nobody else touches it meanwhile.
ALTER TABLE outbox ADD COLUMN claimed_until INTEGER NOT NULL DEFAULT 0;
