DROP TABLE undo_images;
DROP TABLE custom_fields;
DROP TABLE search_texts;
DROP TABLE profiles;
