-- Who may do what. Lists within a row (patterns, actions, grants) are JSON.

-- Counts every change of what decides about access: each process looks here for what it has not seen yet.
CREATE TABLE access_changes (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    version  BIGINT NOT NULL
);
INSERT INTO access_changes (id, version) VALUES (1, 0);

CREATE TABLE users (
    name           TEXT COLLATE "C" PRIMARY KEY,
    password_hash  TEXT COLLATE "C" NOT NULL,
    enabled        BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL
);

CREATE TABLE user_groups (
    name         TEXT COLLATE "C" PRIMARY KEY,
    description  TEXT COLLATE "C" NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);

CREATE TABLE group_members (
    user_name   TEXT COLLATE "C" NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    group_name  TEXT COLLATE "C" NOT NULL REFERENCES user_groups (name) ON DELETE CASCADE,
    PRIMARY KEY (user_name, group_name)
);
CREATE INDEX group_members_by_group ON group_members (group_name, user_name);

CREATE TABLE robots (
    name         TEXT COLLATE "C" PRIMARY KEY,
    description  TEXT COLLATE "C" NOT NULL,
    enabled      BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);

-- A secret of a robot or of a user of any provider. Only its hash is here; after a rotation the one before counts for a while.
CREATE TABLE access_tokens (
    id                TEXT COLLATE "C" PRIMARY KEY,
    robot             TEXT COLLATE "C" REFERENCES robots (name) ON DELETE CASCADE,
    owner_provider    TEXT COLLATE "C",
    owner_key         TEXT COLLATE "C",
    description       TEXT COLLATE "C" NOT NULL,
    scope             TEXT COLLATE "C",
    secret_hash       BYTEA NOT NULL,
    previous_hash     BYTEA,
    previous_until    BIGINT,
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    expires_at        BIGINT,
    last_used_at      BIGINT,
    CHECK ((robot IS NULL) <> (owner_key IS NULL) AND (owner_provider IS NULL) = (owner_key IS NULL))
);
CREATE INDEX access_tokens_by_robot ON access_tokens (robot, id) WHERE robot IS NOT NULL;
CREATE INDEX access_tokens_by_owner ON access_tokens (owner_provider, owner_key, id) WHERE owner_key IS NOT NULL;

CREATE TABLE access_rules (
    id            TEXT COLLATE "C" PRIMARY KEY,
    subject       TEXT COLLATE "C" NOT NULL,
    registry      TEXT COLLATE "C",
    repositories  TEXT COLLATE "C" NOT NULL,
    actions       TEXT COLLATE "C" NOT NULL,
    denies        BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);

-- What bearer tokens are signed with. Retired keys stay until the last token that they signed has ended.
CREATE TABLE signing_keys (
    id           TEXT COLLATE "C" PRIMARY KEY,
    private_key  BYTEA NOT NULL,
    created_at   BIGINT NOT NULL
);

CREATE TABLE refresh_tokens (
    secret_hash  BYTEA PRIMARY KEY,
    principal    TEXT COLLATE "C" NOT NULL,
    provider     TEXT COLLATE "C" NOT NULL,
    account_key  TEXT COLLATE "C" NOT NULL,
    service      TEXT COLLATE "C" NOT NULL,
    issued_at    BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);
CREATE INDEX refresh_tokens_by_principal ON refresh_tokens (principal);

-- Tokens of this principal that were issued up to then are worth nothing any more.
CREATE TABLE revocations (
    principal       TEXT COLLATE "C" PRIMARY KEY,
    revoked_before  BIGINT NOT NULL
);
