DROP INDEX rejections_state ON rejections;
