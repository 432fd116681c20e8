-- Tell an attempt's hot copy of a granted epoch. Two sign-ins may come here in the other order than their commits: the
-- greater epoch stays.
--
-- KEYS  1 hot hash
-- ARGV  1 epoch   2 facts (JSON)   3 life of the hash in s   4 end_ms or ''   5 revision of the clock it was read with
-- Reply 1 when the epoch was taken, 0 when a greater one is known
--
-- Who grants reads the clock before it comes here, and a decision may be told in between (clocks.lua): its state, end
-- and revision stay.

local known = redis.call('HMGET', KEYS[1], 'epoch', 'rev')
local live = tonumber(known[1] or '0')
if live > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'seq', 0, 'facts', ARGV[2])
redis.call('HDEL', KEYS[1], 'acked')
if tonumber(ARGV[5]) >= tonumber(known[2] or '-1') then
  -- A new epoch may follow an end that was taken back: the next commit says what state it is.
  if live < tonumber(ARGV[1]) then redis.call('HDEL', KEYS[1], 'state') end
  redis.call('HSET', KEYS[1], 'rev', ARGV[5])
  -- Without it a first answer that is buffered would be told the whole allotted time.
  if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'end_ms', ARGV[4]) end
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
