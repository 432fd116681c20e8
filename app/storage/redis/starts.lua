-- Keep when every session starts, as the record was last seen to say. Several processes look and tell in any order: the
-- latest look stays.
--
-- KEYS  1 starts: 'look:JSON'
-- ARGV  1 look   2 JSON   3 its life in s   4 a greater look that gives way all the same, or ''
-- Reply the look that stands there now
local look = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+):')
if look and look ~= ARGV[4] and tonumber(look) > tonumber(ARGV[1]) then return look end
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. ARGV[2], 'EX', ARGV[3])
return ARGV[1]
