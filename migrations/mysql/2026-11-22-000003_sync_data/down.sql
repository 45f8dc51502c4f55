ALTER TABLE customers
    DROP COLUMN street1,
    DROP COLUMN city,
    DROP COLUMN state,
    DROP COLUMN postal_code,
    DROP COLUMN country;
DROP TABLE IF EXISTS attempts;
DROP TABLE IF EXISTS outbox_queue;
DROP TABLE IF EXISTS outbox;
DROP TABLE IF EXISTS sync_items;
DROP TABLE IF EXISTS sync_queue;
DROP TABLE IF EXISTS sync_parts;
DROP TABLE IF EXISTS sync_jobs;
DROP TABLE IF EXISTS purchase_contacts;
DROP TABLE IF EXISTS purchases;
DROP TABLE IF EXISTS custom_names;
DROP TABLE IF EXISTS consents;
DROP TABLE IF EXISTS person_keys;
DROP TABLE IF EXISTS contacts;
DROP TABLE IF EXISTS credits;
DROP TABLE IF EXISTS sync_heads;
