-- The first administrator is made once: whoever removes all users does not get it back with its first password.
ALTER TABLE access_changes ADD COLUMN first_admin INTEGER NOT NULL DEFAULT 0;
UPDATE access_changes SET first_admin = 1 WHERE EXISTS (SELECT 1 FROM users);

-- Which of the account's secrets it was got with, where the provider tells.
ALTER TABLE refresh_tokens ADD COLUMN account_mark TEXT;

-- The entry has become a part of what a directory's users are known by, and the secret a column: what is here names neither.
DELETE FROM access_tokens WHERE owner_provider = 'ldap';
DELETE FROM refresh_tokens WHERE provider IN ('ldap', 'token');
