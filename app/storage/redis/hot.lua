-- Merge one checkpoint into an attempt's hot copy, and on request into the buffer. One step, so no other client sees
-- half of it.
--
-- KEYS  1 hot hash   2 buffer stream   3 the attempt's list of buffered stream ids
-- ARGV  1 'durable' | 'buffered'   2 epoch   3 stamp_ms   4 seq   5 position or ''   6 marked or ''   7 elapsed_ms
--       8 state or ''   9 end_ms or ''   10 count or ''   11 body for the stream or ''   12 life in s
--       13 acked_seq or ''   then five per response: item, rev, adopt_n, hash (hex), JSON {v, a, s}
-- Reply { verdict, state, end_ms, count, acked }  verdict: 'ok' | 'old_epoch' | 'sealed' | 'final'
--
-- The epoch check: a hot copy that knows a newer epoch fences. One that knows an older epoch is stale (tokens are
-- signed; a token's epoch was granted by PostgreSQL) and moves forward.

local hot = KEYS[1]
local mode, epoch, stamp = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HMGET', hot, 'epoch', 'state', 'end_ms', 'count', 'seals', 'seq', 'acked')
local live = tonumber(known[1] or '0')

local function answer(verdict)
  return { verdict, known[2] or '', known[3] or '', known[4] or '', known[7] or '0' }
end

if live > epoch then return answer('old_epoch') end
if mode == 'buffered' then
  if known[2] == 'final' then return answer('final') end
  -- Seals are seal.lua's: 'epoch:until:token' each.
  for sealed, ends in string.gmatch(known[5] or '', '(%d+):(%d+):%x+') do
    local now = redis.call('TIME')
    if tonumber(sealed) >= epoch and tonumber(ends) > tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000) then
      return answer('sealed')
    end
  end
end

redis.call('HSET', hot, 'epoch', ARGV[2])
local seen = redis.call('HGET', hot, 'seen_ms')
if not seen or tonumber(seen) < stamp then redis.call('HSET', hot, 'seen_ms', ARGV[3]) end
if live < epoch or tonumber(known[6] or '0') <= tonumber(ARGV[4]) then
  redis.call('HSET', hot, 'seq', ARGV[4])
  if ARGV[5] ~= '' then redis.call('HSET', hot, 'position', ARGV[5]) end
  if ARGV[6] ~= '' then redis.call('HSET', hot, 'marked', ARGV[6]) end
end
local elapsed = redis.call('HGET', hot, 'elapsed_ms')
if not elapsed or tonumber(elapsed) < tonumber(ARGV[7]) then redis.call('HSET', hot, 'elapsed_ms', ARGV[7]) end
if ARGV[8] ~= '' then
  redis.call('HSET', hot, 'state', ARGV[8])
  known[2] = ARGV[8]
end
if ARGV[9] ~= '' then
  redis.call('HSET', hot, 'end_ms', ARGV[9])
  known[3] = ARGV[9]
end
if ARGV[10] ~= '' then
  redis.call('HSET', hot, 'count', ARGV[10])
  known[4] = ARGV[10]
end

if ARGV[13] ~= '' then
  redis.call('HSET', hot, 'acked', ARGV[13])
  known[7] = ARGV[13]
end

local function newer(e, r, n, h, old)
  local oe, orev, on, oh = string.match(old, '^(%d+):(%d+):(%d+):(%x+)|')
  oe, orev, on = tonumber(oe), tonumber(orev), tonumber(on)
  if e ~= oe then return e > oe end
  if r ~= orev then return r > orev end
  if n ~= on then return n > on end
  return h > oh
end

for i = 14, #ARGV, 5 do
  local field = 'r:' .. ARGV[i]
  local old = redis.call('HGET', hot, field)
  if not old or newer(epoch, tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), ARGV[i + 3], old) then
    redis.call('HSET', hot, field,
      ARGV[2] .. ':' .. ARGV[i + 1] .. ':' .. ARGV[i + 2] .. ':' .. ARGV[i + 3] .. '|' .. ARGV[i + 4])
  end
end
redis.call('EXPIRE', hot, ARGV[12])

if mode == 'buffered' and ARGV[11] ~= '' then
  local id = redis.call('XADD', KEYS[2], '*', 'b', ARGV[11])
  redis.call('RPUSH', KEYS[3], id)
  redis.call('EXPIRE', KEYS[3], ARGV[12])
end
return answer('ok')
