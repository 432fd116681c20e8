-- Show Redis the counter that PostgreSQL confirmed; it never goes back within a lineage, but over what was left over.
-- KEYS 1 clock   ARGV 1 counter   2 term   3 '1': whatever stands there, it is not this lineage's present
-- Reply the clock that stands there now, 'counter:term'.
local clock = redis.call('GET', KEYS[1])
if clock and ARGV[3] ~= '1' then
  local counter, term = string.match(clock, '^(%d+):(%d+)$')
  if tonumber(term) > tonumber(ARGV[2]) or (tonumber(term) == tonumber(ARGV[2]) and tonumber(counter) >= tonumber(ARGV[1]))
  then
    return clock
  end
  if tonumber(counter) > tonumber(ARGV[1]) then
    clock = counter .. ':' .. ARGV[2]
    redis.call('SET', KEYS[1], clock)
    return clock
  end
end
clock = ARGV[1] .. ':' .. ARGV[2]
redis.call('SET', KEYS[1], clock)
return clock
