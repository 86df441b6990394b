-- Times are Unix milliseconds, sizes bytes. A digest is one byte for its algorithm (1 sha256, 2 sha512) and the hash behind it.
-- Text compares by byte (BINARY, SQLite's default). What repositories refer to is stored by digest and without foreign keys:
-- a subject may never come, a blob in use may be deleted, a foreign layer is elsewhere.

CREATE TABLE repositories (
    id          INTEGER PRIMARY KEY,
    registry    TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    UNIQUE (registry, name)
);

-- The mark that a store's folder or bucket carries: without it, what is there is not the store that these rows speak of.
CREATE TABLE stores (
    name  TEXT PRIMARY KEY,
    mark  TEXT NOT NULL
) WITHOUT ROWID;

-- The bytes in a store. The location is the store's own word for the place, the generation counts how often they were pushed.
CREATE TABLE blobs (
    store       TEXT    NOT NULL,
    digest      BLOB    NOT NULL,
    location    TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('present', 'missing', 'deleting', 'quarantined')),
    generation  INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (store, digest)
) WITHOUT ROWID;

-- What makes a blob exist in a repository. The lease counts only while no manifest of the repository refers to the blob.
CREATE TABLE repository_blobs (
    repository_id  INTEGER NOT NULL REFERENCES repositories (id),
    digest         BLOB    NOT NULL,
    store          TEXT    NOT NULL,
    lease          INTEGER NOT NULL,
    PRIMARY KEY (repository_id, digest)
) WITHOUT ROWID;
CREATE INDEX repository_blobs_by_digest ON repository_blobs (digest, store);

-- The lease counts only while neither a tag nor an index refers to the manifest, and its subject, if it has one, is not there. The payload stands last: what reads the
-- other columns need not step over it.
CREATE TABLE manifests (
    id              INTEGER PRIMARY KEY,
    repository_id   INTEGER NOT NULL REFERENCES repositories (id),
    digest          BLOB    NOT NULL,
    media_type      TEXT    NOT NULL,
    artifact_type   TEXT,
    config_type     TEXT,
    subject         BLOB,
    size            INTEGER NOT NULL,
    lease           INTEGER NOT NULL,
    pushed_at       INTEGER NOT NULL,
    last_pulled_at  INTEGER,
    annotations     TEXT,
    payload         BLOB    NOT NULL,
    UNIQUE (repository_id, digest)
);
CREATE INDEX manifests_by_subject ON manifests (repository_id, subject, digest) WHERE subject IS NOT NULL;

CREATE TABLE manifest_blobs (
    repository_id  INTEGER NOT NULL,
    manifest       BLOB    NOT NULL,
    blob           BLOB    NOT NULL,
    PRIMARY KEY (repository_id, manifest, blob)
) WITHOUT ROWID;
CREATE INDEX manifest_blobs_by_blob ON manifest_blobs (repository_id, blob);

CREATE TABLE manifest_children (
    repository_id  INTEGER NOT NULL,
    manifest       BLOB    NOT NULL,
    child          BLOB    NOT NULL,
    PRIMARY KEY (repository_id, manifest, child)
) WITHOUT ROWID;
CREATE INDEX manifest_children_by_child ON manifest_children (repository_id, child);

CREATE TABLE tags (
    repository_id  INTEGER NOT NULL REFERENCES repositories (id),
    name           TEXT    NOT NULL,
    digest         BLOB    NOT NULL,
    updated_at     INTEGER NOT NULL,
    PRIMARY KEY (repository_id, name)
) WITHOUT ROWID;
CREATE INDEX tags_by_digest ON tags (repository_id, digest);

-- Every move of a tag; without a digest it was deleted.
CREATE TABLE tag_history (
    id             INTEGER PRIMARY KEY,
    repository_id  INTEGER NOT NULL REFERENCES repositories (id),
    tag            TEXT    NOT NULL,
    digest         BLOB,
    principal      TEXT    NOT NULL,
    changed_at     INTEGER NOT NULL
);
CREATE INDEX tag_history_by_tag ON tag_history (repository_id, tag, id);

-- The repository stands here by name: it need not exist before its first blob is complete.
CREATE TABLE uploads (
    id          TEXT    PRIMARY KEY,
    registry    TEXT    NOT NULL,
    repository  TEXT    NOT NULL,
    store       TEXT    NOT NULL,
    owner       TEXT    NOT NULL,
    algorithm   TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX uploads_by_expiry ON uploads (expires_at);

-- What has to be brought into agreement in the store: a manifest or tag as it stands now, not as it stood when the row was
-- written. A change while it is being worked on counts the generation up.
CREATE TABLE outbox (
    id             INTEGER PRIMARY KEY,
    repository_id  INTEGER NOT NULL REFERENCES repositories (id),
    kind           TEXT    NOT NULL CHECK (kind IN ('manifest', 'tag')),
    key            TEXT    NOT NULL,
    generation     INTEGER NOT NULL DEFAULT 0,
    UNIQUE (repository_id, kind, key)
);
