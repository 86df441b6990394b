-- When the upstream of a proxy registry has last said that the tag names this manifest.
ALTER TABLE tags ADD COLUMN checked_at INTEGER;

-- What refers to a digest at the upstream of a proxy registry, as JSON, and when it has said so.
CREATE TABLE proxied_referrers (
    repository_id  INTEGER NOT NULL REFERENCES repositories (id),
    subject        BLOB    NOT NULL,
    referrers      TEXT    NOT NULL,
    checked_at     INTEGER NOT NULL,
    PRIMARY KEY (repository_id, subject)
) WITHOUT ROWID;
