-- Here a text has no limit: there is nothing to do.
SELECT 1;
