-- Merge a batch of checkpoints into the hot copies of their attempts, and on request into the buffer. One step, so no
-- other client sees half of a checkpoint, and one call, because calls are what Redis and its callers pay for.
--
-- KEYS  1 buffer stream   2 prefix of hot hashes   3 prefix of the lists of buffered stream ids
-- ARGV  1 'durable' | 'buffered'   2 life in s   3 msgpack: a list of checkpoints, each a list of
--       1 attempt   2 epoch   3 stamp_ms   4 seq   5 position or nil   6 marked or nil   7 elapsed_ms
--       8 state or nil   9 end_ms or nil   10 count or nil   11 acked_seq or nil   12 body for the stream or nil
--       13 six per response: field, epoch, rev, adopt_n, hash (hex), what is stored
--       14 revision of the clock that state and end belong to, or nil
-- Reply 'durable': the attempts whose hot copy has no facts (grant.lua's). 'buffered': per checkpoint
--       { verdict, state, end_ms, count, acked, revision of the clock that state and end belong to },
--       verdict: 'ok' | 'old_epoch' | 'sealed' | 'final'
--
-- The epoch check: a hot copy that knows a newer epoch fences. One that knows an older epoch is stale (tokens are
-- signed; a token's epoch was granted by PostgreSQL) and moves forward.
--
-- Attempts are named in the batch and not in KEYS: this is one server with replicas, never a cluster.

local mode, life = ARGV[1], ARGV[2]
-- Lua can hand over some thousands of values in one call and no more.
local AT_ONCE = 1000
local RANK = { open = 1, ended = 2, final = 3 }
local call = redis.call

local function newer(epoch, rev, adopt_n, hash, old)
  local e, r, n, at = string.match(old, '^(%d+):(%d+):(%d+):()')
  e, r, n = tonumber(e), tonumber(r), tonumber(n)
  if epoch ~= e then return epoch > e end
  if rev ~= r then return rev > r end
  if adopt_n ~= n then return adopt_n > n end
  return hash > string.sub(old, at, at + #hash - 1)
end

-- Seals are seal.lua's: 'epoch:until:token' each.
local function sealed(seals, epoch)
  for at, ends in string.gmatch(seals, '(%d+):(%d+):%x+') do
    local now = call('TIME')
    if tonumber(at) >= epoch and tonumber(ends) > tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000) then
      return true
    end
  end
  return false
end

local function merge(checkpoint)
  local attempt, epoch, stamp, seq, position, marked, elapsed, state, end_ms, count, acked, body, rows,
    rev = unpack(checkpoint, 1, 14)
  local hot = KEYS[2] .. attempt
  local known = call('HMGET', hot, 'epoch', 'state', 'end_ms', 'count', 'seals', 'seq', 'acked', 'seen_ms', 'elapsed_ms', 'rev')
  local live = tonumber(known[1] or '0')

  -- Asked for by 'buffered' alone, which brings no state, end, count or prefix of its own.
  local function answer(verdict)
    return { verdict, known[2] or '', known[3] or '', known[4] or '', known[7] or '0', known[10] or '-1' }
  end

  if live > epoch then return answer('old_epoch') end
  if mode == 'buffered' then
    if known[2] == 'final' then return answer('final') end
    if known[5] and sealed(known[5], epoch) then return answer('sealed') end
  end

  local changes = {}
  local size = 0
  local function set(field, value)
    changes[size + 1], changes[size + 2] = field, value
    size = size + 2
  end
  -- Left to Redis, a number would be printed as a double, which takes longer than everything else here.
  local function note(field, n) set(field, string.format('%d', n)) end
  -- Only what is new: each field is written to the append-only file as well.
  local function write()
    if size > 0 then call('HSET', hot, unpack(changes)) end
    changes, size = {}, 0
  end
  if live < epoch then note('epoch', epoch) end
  if not known[8] or tonumber(known[8]) < stamp then note('seen_ms', stamp) end
  if live < epoch or tonumber(known[6] or '0') <= seq then
    note('seq', seq)
    if position then note('position', position) end
    if marked then set('marked', marked) end
  end
  if not known[9] or tonumber(known[9]) < elapsed then note('elapsed_ms', elapsed) end
  -- Two processes may tell of their commits in the other order. State and end are those of the greatest revision of
  -- the clock (an end may be taken back); of one revision an attempt only goes on.
  local again = live == epoch
  local at = again and tonumber(known[10] or '-1') or -1
  if not rev or rev >= at then
    local onwards = rev and rev > at
    if state and (onwards or not (again and RANK[state] <= (RANK[known[2]] or 0))) then set('state', state) end
    if end_ms and end_ms ~= tonumber(known[3] or '') then note('end_ms', end_ms) end
    if onwards then note('rev', rev) end
  end
  if count and count > tonumber(known[4] or '-1') then note('count', count) end
  if acked and not (again and acked <= tonumber(known[7] or '-1')) then note('acked', acked) end

  for from = 1, #rows, 6 * AT_ONCE do
    local last = math.min(#rows, from + 6 * AT_ONCE - 1)
    local fields = {}
    for at = from, last, 6 do fields[#fields + 1] = rows[at] end
    local stored = call('HMGET', hot, unpack(fields))
    for n = 1, #fields do
      local at = from + 6 * (n - 1)
      if not stored[n] or newer(rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4], stored[n]) then
        set(rows[at], rows[at + 5])
      end
    end
    if last < #rows then
      write()
    end
  end
  write()
  -- A new hash, or a new epoch's first word: its life begins again.
  if live < epoch then call('EXPIRE', hot, life) end

  if mode == 'buffered' and body then
    local id = call('XADD', KEYS[1], '*', 'b', body)
    call('RPUSH', KEYS[3] .. attempt, id)
    call('EXPIRE', KEYS[3] .. attempt, life)
  end
  return answer('ok')
end

local batch = cmsgpack.unpack(ARGV[3])
if mode == 'durable' then
  local without = {}
  for _, checkpoint in ipairs(batch) do
    merge(checkpoint)
    if call('HSTRLEN', KEYS[2] .. checkpoint[1], 'facts') == 0 then without[#without + 1] = checkpoint[1] end
  end
  return without
end
local replies = {}
for n, checkpoint in ipairs(batch) do replies[n] = merge(checkpoint) end
return replies
