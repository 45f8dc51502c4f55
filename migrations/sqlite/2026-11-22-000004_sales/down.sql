DROP TABLE sale_keys;
DROP TABLE sales;
