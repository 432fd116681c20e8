-- Tell hot copies of clocks that were decided anew: paused, resumed, moved, ended, made final, reopened. An attempt
-- without a copy gets none: a copy begins with a grant.
--
-- KEYS  1 prefix of hot hashes
-- ARGV  1 msgpack: a list of { attempt, revision, state, end_ms or '' }
-- Reply how many were told
--
-- Two of them may be told in the other order than they were made: the greater revision stays (hot.lua). Processes of an
-- older release give 'final' no revision of its own, so of one revision it stays as well.

local told = 0
for _, clock in ipairs(cmsgpack.unpack(ARGV[1])) do
  local hot = KEYS[1] .. clock[1]
  local known = redis.call('HMGET', hot, 'epoch', 'rev', 'state')
  local at = tonumber(known[2] or '-1')
  if known[1] and (clock[2] > at or (clock[2] == at and known[3] ~= 'final')) then
    redis.call('HSET', hot, 'rev', string.format('%d', clock[2]), 'state', clock[3])
    if clock[4] == '' then
      redis.call('HDEL', hot, 'end_ms')
    else
      redis.call('HSET', hot, 'end_ms', clock[4])
    end
    told = told + 1
  end
end
return told
