-- Times are Unix milliseconds, sizes bytes. A digest is one byte for its algorithm (1 sha256, 2 sha512) and the hash behind it.
-- Text compares by byte (COLLATE "C"). What repositories refer to is stored by digest and without foreign keys:
-- a subject may never come, a blob in use may be deleted, a foreign layer is elsewhere.

-- The clock of leases and expiry, the same one for all nodes.
CREATE FUNCTION registry_now() RETURNS BIGINT LANGUAGE SQL STABLE PARALLEL SAFE
    AS $$ SELECT (extract(epoch FROM statement_timestamp()) * 1000)::BIGINT $$;

CREATE TABLE repositories (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    registry    TEXT   COLLATE "C" NOT NULL,
    name        TEXT   COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    UNIQUE (registry, name)
);

-- The mark that a store's folder or bucket carries: without it, what is there is not the store that these rows speak of.
CREATE TABLE stores (
    name  TEXT COLLATE "C" PRIMARY KEY,
    mark  TEXT COLLATE "C" NOT NULL
);

-- The bytes in a store. The location is the store's own word for the place, the generation counts how often they were pushed.
CREATE TABLE blobs (
    store       TEXT   COLLATE "C" NOT NULL,
    digest      BYTEA  NOT NULL,
    location    TEXT   COLLATE "C" NOT NULL,
    size        BIGINT NOT NULL,
    state       TEXT   COLLATE "C" NOT NULL CHECK (state IN ('present', 'missing', 'deleting', 'quarantined')),
    generation  BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (store, digest)
);

-- What makes a blob exist in a repository. The lease counts only while no manifest of the repository refers to the blob.
CREATE TABLE repository_blobs (
    repository_id  BIGINT NOT NULL REFERENCES repositories (id),
    digest         BYTEA  NOT NULL,
    store          TEXT   COLLATE "C" NOT NULL,
    lease          BIGINT NOT NULL,
    PRIMARY KEY (repository_id, digest)
);
CREATE INDEX repository_blobs_by_digest ON repository_blobs (digest, store);

-- The lease counts only while neither a tag nor an index refers to the manifest, and its subject, if it has one, is not there.
-- Payloads of the usual size stay in their row and uncompressed: they are read much more often than written.
CREATE TABLE manifests (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id   BIGINT NOT NULL REFERENCES repositories (id),
    digest          BYTEA  NOT NULL,
    media_type      TEXT   COLLATE "C" NOT NULL,
    artifact_type   TEXT   COLLATE "C",
    config_type     TEXT   COLLATE "C",
    subject         BYTEA,
    size            BIGINT NOT NULL,
    lease           BIGINT NOT NULL,
    pushed_at       BIGINT NOT NULL,
    last_pulled_at  BIGINT,
    annotations     TEXT   COLLATE "C",
    payload         BYTEA  NOT NULL,
    UNIQUE (repository_id, digest)
) WITH (toast_tuple_target = 8160);
ALTER TABLE manifests ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX manifests_by_subject ON manifests (repository_id, subject, digest) WHERE subject IS NOT NULL;

CREATE TABLE manifest_blobs (
    repository_id  BIGINT NOT NULL,
    manifest       BYTEA  NOT NULL,
    blob           BYTEA  NOT NULL,
    PRIMARY KEY (repository_id, manifest, blob)
);
CREATE INDEX manifest_blobs_by_blob ON manifest_blobs (repository_id, blob);

CREATE TABLE manifest_children (
    repository_id  BIGINT NOT NULL,
    manifest       BYTEA  NOT NULL,
    child          BYTEA  NOT NULL,
    PRIMARY KEY (repository_id, manifest, child)
);
CREATE INDEX manifest_children_by_child ON manifest_children (repository_id, child);

CREATE TABLE tags (
    repository_id  BIGINT NOT NULL REFERENCES repositories (id),
    name           TEXT   COLLATE "C" NOT NULL,
    digest         BYTEA  NOT NULL,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (repository_id, name)
);
CREATE INDEX tags_by_digest ON tags (repository_id, digest);

-- Every move of a tag; without a digest it was deleted.
CREATE TABLE tag_history (
    id             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id  BIGINT NOT NULL REFERENCES repositories (id),
    tag            TEXT   COLLATE "C" NOT NULL,
    digest         BYTEA,
    principal      TEXT   COLLATE "C" NOT NULL,
    changed_at     BIGINT NOT NULL
);
CREATE INDEX tag_history_by_tag ON tag_history (repository_id, tag, id);

-- The repository stands here by name: it need not exist before its first blob is complete. The state is the store's own word for
-- where the bytes are, opaque to everybody else. Until claimed_until, one request has the session for itself.
CREATE TABLE uploads (
    id             TEXT   COLLATE "C" PRIMARY KEY,
    registry       TEXT   COLLATE "C" NOT NULL,
    repository     TEXT   COLLATE "C" NOT NULL,
    store          TEXT   COLLATE "C" NOT NULL,
    owner          TEXT   COLLATE "C" NOT NULL,
    algorithm      TEXT   COLLATE "C" NOT NULL,
    position       BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    state          TEXT   COLLATE "C",
    claimed_until  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX uploads_by_expiry ON uploads (expires_at);

-- What has to be brought into agreement in the store: a manifest or tag as it stands now, not as it stood when the row was
-- written. A change while it is being worked on counts the generation up. Until claimed_until, one node works on it.
CREATE TABLE outbox (
    id             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id  BIGINT NOT NULL REFERENCES repositories (id),
    kind           TEXT   COLLATE "C" NOT NULL CHECK (kind IN ('manifest', 'tag')),
    key            TEXT   COLLATE "C" NOT NULL,
    generation     BIGINT NOT NULL DEFAULT 0,
    claimed_until  BIGINT NOT NULL DEFAULT 0,
    UNIQUE (repository_id, kind, key)
);
