-- Seals on an attempt's buffer: while one lies on it, nothing is buffered under its epoch or an older one (hot.lua).
-- Each has its maker's token, so that nobody lifts another's. One step, so no append falls between the look and the
-- change.
--
-- KEYS  1 hot hash
-- ARGV  1 'take' | 'renew' | 'lift'   2 token (hex)   3 epoch   4 length in ms   5 life of the hash in s
-- Reply 1 when the caller's seal lies on the buffer afterwards, and in the case of 'renew' has lain there since it was
--       taken; 0 otherwise
--
-- The field `seals` holds 'epoch:until:token' for each, `until` in Redis' own wall clock in ms. Expired ones go.

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local mode, token = ARGV[1], ARGV[2]
local seals, mine = {}, mode == 'take'
for epoch, ends, owner in string.gmatch(redis.call('HGET', KEYS[1], 'seals') or '', '(%d+):(%d+):(%x+)') do
  if tonumber(ends) > now then
    if owner == token then
      mine = true
    else
      seals[#seals + 1] = epoch .. ':' .. ends .. ':' .. owner
    end
  end
end
if mode == 'lift' then mine = false end
if mine then seals[#seals + 1] = string.format('%s:%.0f:%s', ARGV[3], now + tonumber(ARGV[4]), token) end
if #seals == 0 then
  redis.call('HDEL', KEYS[1], 'seals')
else
  redis.call('HSET', KEYS[1], 'seals', table.concat(seals, ' '))
  redis.call('EXPIRE', KEYS[1], ARGV[5])
end
return mine and 1 or 0
