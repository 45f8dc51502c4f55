DROP INDEX rejections_state;
