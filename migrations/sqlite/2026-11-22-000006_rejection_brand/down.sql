ALTER TABLE rejections DROP COLUMN brand;
