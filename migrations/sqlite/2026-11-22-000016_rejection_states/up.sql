CREATE INDEX rejections_state ON rejections (account_id, state, state_since);
