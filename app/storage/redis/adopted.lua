-- Bring adopted responses into an attempt's hot copy. An attempt that has none gets none: a resume reads the record.
--
-- KEYS  1 hot hash
-- ARGV  1 count   then six per response: item, epoch, rev, adopt_n, hash (hex), JSON {v, a, s}
-- Reply how many were newer than what the copy had
--
-- Not hot.lua: an adopted response keeps the epoch of what the office saw, which need not be the live one, and brings
-- no contact, no seq and no state. The order is the same one.

local hot = KEYS[1]
if redis.call('EXISTS', hot) == 0 then return 0 end

local count = redis.call('HGET', hot, 'count')
if not count or tonumber(count) < tonumber(ARGV[1]) then redis.call('HSET', hot, 'count', ARGV[1]) end

local function newer(e, r, n, h, old)
  local oe, orev, on, oh = string.match(old, '^(%d+):(%d+):(%d+):(%x+)|')
  oe, orev, on = tonumber(oe), tonumber(orev), tonumber(on)
  if e ~= oe then return e > oe end
  if r ~= orev then return r > orev end
  if n ~= on then return n > on end
  return h > oh
end

local written = 0
for i = 2, #ARGV, 6 do
  local field = 'r:' .. ARGV[i]
  local old = redis.call('HGET', hot, field)
  local epoch, rev, n, hash = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]), ARGV[i + 4]
  if not old or newer(epoch, rev, n, hash, old) then
    redis.call('HSET', hot, field,
      ARGV[i + 1] .. ':' .. ARGV[i + 2] .. ':' .. ARGV[i + 3] .. ':' .. hash .. '|' .. ARGV[i + 5])
    written = written + 1
  end
end
return written
