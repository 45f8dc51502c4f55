ALTER TABLE users
    DROP COLUMN active,
    DROP COLUMN password,
    DROP COLUMN permissions;
