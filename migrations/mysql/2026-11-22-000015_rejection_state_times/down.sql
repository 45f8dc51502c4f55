-- The column goes as a whole.
SELECT 1;
