ALTER TABLE campaigns DROP COLUMN reward_ratio;
