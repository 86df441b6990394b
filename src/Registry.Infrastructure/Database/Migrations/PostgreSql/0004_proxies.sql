-- When the upstream of a proxy registry has last said that the tag names this manifest.
ALTER TABLE tags ADD COLUMN checked_at bigint;

-- What refers to a digest at the upstream of a proxy registry, as JSON, and when it has said so.
CREATE TABLE proxied_referrers (
    repository_id  bigint NOT NULL REFERENCES repositories (id),
    subject        bytea  NOT NULL,
    referrers      text   NOT NULL,
    checked_at     bigint NOT NULL,
    PRIMARY KEY (repository_id, subject)
);
