-- What a user may do. permissions: bits, read 1, post 2, redeem 4, manage 8. password: an Argon2id hash. active: false once it is deleted; the row stays, because entries name it.
ALTER TABLE users ADD COLUMN permissions SMALLINT NOT NULL DEFAULT 15;
ALTER TABLE users ADD COLUMN password VARCHAR(128);
ALTER TABLE users ADD COLUMN active BOOLEAN NOT NULL DEFAULT 1;
