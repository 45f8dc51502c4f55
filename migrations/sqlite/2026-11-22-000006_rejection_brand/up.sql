-- The brand that sent it, where it is a sale.
ALTER TABLE rejections ADD COLUMN brand INTEGER;
