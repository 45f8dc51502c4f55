-- Points for each unit of money that is redeemed, in ten-thousandths; NULL: no money is redeemed.
ALTER TABLE campaigns ADD COLUMN reward_ratio BIGINT;
