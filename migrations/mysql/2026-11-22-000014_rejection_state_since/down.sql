ALTER TABLE rejections DROP COLUMN state_since;
