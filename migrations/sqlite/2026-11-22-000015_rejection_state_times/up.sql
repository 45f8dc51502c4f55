-- For those who were there before. It may be repeated.
UPDATE rejections SET state_since = recorded_at WHERE state_since = 0;
