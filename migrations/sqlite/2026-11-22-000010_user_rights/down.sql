ALTER TABLE users DROP COLUMN active;
ALTER TABLE users DROP COLUMN password;
ALTER TABLE users DROP COLUMN permissions;
