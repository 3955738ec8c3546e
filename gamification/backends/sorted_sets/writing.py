"""Scripts that change the sorted sets."""

from __future__ import annotations

from gamification.backends.sorted_sets.scripts import Script

_WRITING = """
local STATE, PEOPLE, EXPIRY, HIDDEN = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

local function put(board, member, score)
  if tonumber(score) > 0 then redis.call('ZADD', board, '-' .. score, member)
  else redis.call('ZREM', board, member) end
end

-- Add up both windows from the days kept, drop days that no window holds any more, and note when the next one leaves.
-- Dates after today count: somebody ahead of UTC is there already.
local function add_up(user, member, weekly, monthly, today)
  local week, month, due, gone = 0, 0, math.huge, {}
  local kept = redis.call('HGETALL', user)
  for i = 1, #kept, 2 do
    local day = tonumber(kept[i])  -- nil for v and h
    if day and day < today - 29 then
      gone[#gone + 1] = kept[i]
    elseif day then
      month = month + tonumber(kept[i + 1])
      due = math.min(due, day + 30)
      if day >= today - 6 then
        week = week + tonumber(kept[i + 1])
        due = math.min(due, day + 7)
      end
    end
  end
  if #gone > 0 then redis.call('HDEL', user, unpack(gone)) end
  put(weekly, member, string.format('%.0f', week))
  put(monthly, member, string.format('%.0f', month))
  redis.call('ZADD', PEOPLE, due == math.huge and '+inf' or due, member)
end
"""

# KEYS: state, people, expiry, hidden, user, then every board, the five fixed ones first.
# ARGV: member, version, flag, current streak, its expiry or '', epoch, a score for each board ('' for no change), then
# days and their XP.
_OF_USER = (
    _WRITING
    + """
local USER, MEMBER, BOARDS = KEYS[5], ARGV[1], #KEYS - 5

local function off_the_boards()
  for i = 6, #KEYS do redis.call('ZREM', KEYS[i], MEMBER) end
  redis.call('ZREM', EXPIRY, MEMBER)
end

-- Keep nothing of somebody hidden but the version, so that a late write does not bring them back.
local function hide(version, reason)
  off_the_boards()
  redis.call('DEL', USER)
  redis.call('HSET', USER, 'v', version, 'h', reason)
  redis.call('ZADD', PEOPLE, '+inf', MEMBER)
end

local function write(is_whole)
  redis.call('HSET', USER, 'v', ARGV[2])
  for i = 1, BOARDS do
    if ARGV[6 + i] ~= '' then put(KEYS[5 + i], MEMBER, ARGV[6 + i]) end
  end
  if tonumber(ARGV[4]) > 0 and ARGV[5] ~= '' then
    put(KEYS[9], MEMBER, ARGV[4])
    redis.call('ZADD', EXPIRY, ARGV[5], MEMBER)
  else
    redis.call('ZREM', KEYS[9], MEMBER)
    redis.call('ZREM', EXPIRY, MEMBER)
  end
  local first = 7 + BOARDS
  for i = first, #ARGV, 2 do
    if ARGV[i + 1] == '0' then redis.call('HDEL', USER, ARGV[i]) else redis.call('HSET', USER, ARGV[i], ARGV[i + 1]) end
  end
  if is_whole or #ARGV >= first then
    add_up(USER, MEMBER, KEYS[7], KEYS[8], tonumber(redis.call('HGET', STATE, 'day')))
  end
end
"""
)

#: Take in what one commit changed; flag: 1 shown, 0 opted out. 1: done, or known already. 0: there is no copy.
#: 2: a write before it is missing, so all of the user's scores have to come from the database.
PUSH = Script(
    _OF_USER
    + """
local state = redis.call('HMGET', STATE, 'boards', 'building')
if not state[1] and not state[2] then return 0 end
local user = redis.call('HMGET', USER, 'v', 'h')
if not user[1] then return 2 end
local missed = tonumber(ARGV[2]) - tonumber(user[1]) - 1
if missed < 0 then return 1 end
if user[2] == 'i' or user[2] == 'e' then
  redis.call('HSET', USER, 'v', ARGV[2])
elseif ARGV[3] == '0' then
  hide(ARGV[2], 'o')
elseif user[2] or missed > 0 then
  return 2
else
  write(false)
end
return 1
"""
)

#: Set all of a user's scores; flag: '' shown, or why hidden. 1: done. 0: there is no copy. 2: read again, because
#: somebody was erased since ``epoch`` (perhaps this user), or a newer write was here first.
REPLACE = Script(
    _OF_USER
    + """
local state = redis.call('HMGET', STATE, 'boards', 'building', 'epoch')
if not state[1] and not state[2] then return 0 end
if (state[3] or '0') ~= ARGV[6] then return 2 end
if tonumber(redis.call('HGET', USER, 'v') or 0) > tonumber(ARGV[2]) then return 2 end
redis.call('DEL', USER)
redis.call('HDEL', HIDDEN, MEMBER)
if ARGV[3] == '' then write(true) else hide(ARGV[2], ARGV[3]) end
if ARGV[3] == 'i' or ARGV[3] == 'e' then redis.call('HSET', HIDDEN, MEMBER, ARGV[3]) end
return 1
"""
)

#: Hide somebody whom the host hides; flag: why.
HIDE = Script(
    _OF_USER
    + """
local version = redis.call('HGET', USER, 'v')
if version then
  hide(version, ARGV[3])
  redis.call('HSET', HIDDEN, MEMBER, ARGV[3])
end
return 1
"""
)

#: Leave nothing of somebody, and let no write that was read before put it back.
REMOVE = Script(
    _OF_USER
    + """
off_the_boards()
redis.call('DEL', USER)
redis.call('HDEL', HIDDEN, MEMBER)
redis.call('ZREM', PEOPLE, MEMBER)
redis.call('HINCRBY', STATE, 'epoch', 1)
return 1
"""
)

#: KEYS: state, people, expiry, hidden, weekly, monthly, then users; ARGV: their members. Moves their windows.
ROLL = Script(
    _WRITING
    + """
local today = tonumber(redis.call('HGET', STATE, 'day'))
for i = 1, #ARGV do
  if redis.call('EXISTS', KEYS[6 + i]) == 1 then add_up(KEYS[6 + i], ARGV[i], KEYS[5], KEYS[6], today)
  else redis.call('ZREM', PEOPLE, ARGV[i]) end
end
return #ARGV
"""
)

#: KEYS: state, people; ARGV: today. Lets the windows end with today; 1 once all of them do.
TURN = Script("""
local day = tonumber(redis.call('HGET', KEYS[1], 'day') or ARGV[1])
if day < tonumber(ARGV[1]) then
  day = tonumber(ARGV[1])
  redis.call('HSET', KEYS[1], 'day', day, 'rolling', 1)
end
if redis.call('ZCOUNT', KEYS[2], '-inf', day) > 0 then return 0 end
redis.call('HSET', KEYS[1], 'rolling', 0)
return 1
""")

#: KEYS: state, expiry, current streaks; ARGV: now, how many. Takes streaks off that have ended; returns how many.
SWEEP = Script("""
local ended = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
if #ended == 0 then return 0 end
local members = {}
for i = 1, #ended, 2 do members[#members + 1] = ended[i] end
redis.call('ZREM', KEYS[2], unpack(members))
redis.call('ZREM', KEYS[3], unpack(members))
if tonumber(ended[#ended]) > tonumber(redis.call('HGET', KEYS[1], 'swept') or 0) then
  redis.call('HSET', KEYS[1], 'swept', ended[#ended])
end
return #members
""")

#: KEYS: state; ARGV: who builds, then fields and values. Ends a build, unless another one (or nothing) is there by now.
FINISH = Script("""
if redis.call('HGET', KEYS[1], 'building') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'building')
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
""")

#: KEYS: a lock; ARGV: its owner, for how many seconds more (0: for none). 1 where the owner held it.
HOLD = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
""")
