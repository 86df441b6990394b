-- Who may do what. Lists within a row (patterns, actions, grants) are JSON.

-- Counts every change of what decides about access: each process looks here for what it has not seen yet.
CREATE TABLE access_changes (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    version  INTEGER NOT NULL
);
INSERT INTO access_changes (id, version) VALUES (1, 0);

CREATE TABLE users (
    name           TEXT    PRIMARY KEY,
    password_hash  TEXT    NOT NULL,
    enabled        INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE user_groups (
    name         TEXT    PRIMARY KEY,
    description  TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE group_members (
    user_name   TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    group_name  TEXT NOT NULL REFERENCES user_groups (name) ON DELETE CASCADE,
    PRIMARY KEY (user_name, group_name)
) WITHOUT ROWID;
CREATE INDEX group_members_by_group ON group_members (group_name, user_name);

CREATE TABLE robots (
    name         TEXT    PRIMARY KEY,
    description  TEXT    NOT NULL,
    enabled      INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) WITHOUT ROWID;

-- A secret of a robot or of a user of any provider. Only its hash is here; after a rotation the one before counts for a while.
CREATE TABLE access_tokens (
    id                TEXT    PRIMARY KEY,
    robot             TEXT    REFERENCES robots (name) ON DELETE CASCADE,
    owner_provider    TEXT,
    owner_key         TEXT,
    description       TEXT    NOT NULL,
    scope             TEXT,
    secret_hash       BLOB    NOT NULL,
    previous_hash     BLOB,
    previous_until    INTEGER,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    expires_at        INTEGER,
    last_used_at      INTEGER,
    CHECK ((robot IS NULL) <> (owner_key IS NULL) AND (owner_provider IS NULL) = (owner_key IS NULL))
) WITHOUT ROWID;
CREATE INDEX access_tokens_by_robot ON access_tokens (robot, id) WHERE robot IS NOT NULL;
CREATE INDEX access_tokens_by_owner ON access_tokens (owner_provider, owner_key, id) WHERE owner_key IS NOT NULL;

CREATE TABLE access_rules (
    id            TEXT    PRIMARY KEY,
    subject       TEXT    NOT NULL,
    registry      TEXT,
    repositories  TEXT    NOT NULL,
    actions       TEXT    NOT NULL,
    denies        INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) WITHOUT ROWID;

-- What bearer tokens are signed with. Retired keys stay until the last token that they signed has ended.
CREATE TABLE signing_keys (
    id           TEXT    PRIMARY KEY,
    private_key  BLOB    NOT NULL,
    created_at   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE refresh_tokens (
    secret_hash  BLOB    PRIMARY KEY,
    principal    TEXT    NOT NULL,
    provider     TEXT    NOT NULL,
    account_key  TEXT    NOT NULL,
    service      TEXT    NOT NULL,
    issued_at    INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);
CREATE INDEX refresh_tokens_by_principal ON refresh_tokens (principal);

-- Tokens of this principal that were issued up to then are worth nothing any more.
CREATE TABLE revocations (
    principal       TEXT    PRIMARY KEY,
    revoked_before  INTEGER NOT NULL
) WITHOUT ROWID;
