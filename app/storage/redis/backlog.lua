-- How many entries of the buffer wait to be drained. Counted only up to a limit: it is looked at, not relied on.
-- KEYS 1 buffer stream   2 the last drained id, as the drain showed it   ARGV 1 most to count
local drained = redis.call('GET', KEYS[2]) or '0-0'
return #redis.call('XRANGE', KEYS[1], '(' .. drained, '+', 'COUNT', ARGV[1])
