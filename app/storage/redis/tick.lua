-- Advance the service counter in Redis while PostgreSQL is away, by compare-and-set, under the ticker's lock.
-- KEYS 1 clock   2 ticker lock   ARGV 1 me   2 expected counter   3 new counter   4 lock life in ms
-- The clock's value is 'counter:term'. Reply { 1 or 0, clock }: 0 when another ticks or the counter moved.
local holder = redis.call('GET', KEYS[2])
local clock = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return { 0, clock } end
if not clock then return { 0, '' } end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
local counter, term = string.match(clock, '^(%d+):(%d+)$')
if tonumber(counter) ~= tonumber(ARGV[2]) then return { 0, clock } end
clock = ARGV[3] .. ':' .. term
redis.call('SET', KEYS[1], clock)
return { 1, clock }
