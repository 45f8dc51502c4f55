DROP TABLE IF EXISTS undo_images;
DROP TABLE IF EXISTS custom_fields;
DROP TABLE IF EXISTS search_texts;
DROP TABLE IF EXISTS profiles;
