"""Scripts that read the sorted sets: one round trip each."""

from __future__ import annotations

from gamification.backends.sorted_sets.scripts import Script

# KEYS: state, expiry, board. ARGV: metric, 'window', 'streak' or '', now, today.
# A text instead of rows says why the database has to answer: 'absent', 'past', or 'late' (something has to be tidied).
_READING = """
local STATE, EXPIRY, BOARD, KIND = KEYS[1], KEYS[2], KEYS[3], ARGV[2]
local NOW, TODAY = tonumber(ARGV[3]), tonumber(ARGV[4])
local state = redis.call('HMGET', STATE, 'boards', 'day', 'rolling', 'swept', 'checked')
local boards = '\\n' .. (state[1] or '') .. '\\n'
if not string.find(boards, '\\n' .. ARGV[1] .. '\\n', 1, true) then return 'absent' end
if KIND == 'window' then
  if tonumber(state[2]) > TODAY then return 'past' end
  if tonumber(state[2]) < TODAY or state[3] == '1' then return 'late' end
elseif KIND == 'streak' then
  if NOW < tonumber(state[4] or 0) then return 'past' end
  if redis.call('ZCOUNT', EXPIRY, '-inf', ARGV[3]) > 0 then return 'late' end
end
local CHECKED = state[5]

-- Return the entries at these places as member, score, rank, member, ...
local function ranked(first, last)
  local rows, part, rank = {}, {}, 0
  if first <= last then part = redis.call('ZRANGE', BOARD, first, last, 'WITHSCORES') end
  for i = 1, #part, 2 do
    if i == 1 or part[i + 1] ~= part[i - 1] then rank = 1 + redis.call('ZCOUNT', BOARD, '-inf', '(' .. part[i + 1]) end
    rows[#rows + 1], rows[#rows + 2], rows[#rows + 3] = part[i], string.sub(part[i + 1], 2), rank
  end
  return rows
end

-- Return how many entries come before (score, member), or up to it; whether or not it is on the board.
local function before(score, member, is_included)
  local low = redis.call('ZCOUNT', BOARD, '-inf', '(-' .. score)
  local high = low + redis.call('ZCOUNT', BOARD, '-' .. score, '-' .. score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local other = redis.call('ZRANGE', BOARD, middle, middle)[1]
    if other < member or (is_included and other == member) then low = middle + 1 else high = middle end
  end
  return low
end
"""

#: ARGV, further: depth. Returns checked, how many are on the board, entries.
TOP = Script(
    _READING + "return {CHECKED, redis.call('ZCARD', BOARD), ranked(0, tonumber(ARGV[5]) - 1)}",
)

#: ARGV, further: score, member, how many. Returns checked, entries.
AFTER = Script(
    _READING
    + """
local first = before(ARGV[5], ARGV[6], true)
return {CHECKED, ranked(first, first + tonumber(ARGV[7]) - 1)}
"""
)

#: ARGV, further: member, neighbours on each side, the score of one who is not on the board, or ''.
#: Returns checked and, where there is a score: score, rank, next score or '', entries above, entries below.
POSITION = Script(
    _READING
    + """
local member, number = ARGV[5], tonumber(ARGV[6])
local found = redis.call('ZSCORE', BOARD, member)
local score = found and string.sub(found, 2) or ARGV[7]
if score == '' then return {CHECKED} end
local rank = 1 + redis.call('ZCOUNT', BOARD, '-inf', '(-' .. score)
local nearest = redis.call('ZREVRANGEBYSCORE', BOARD, '(-' .. score, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
local above, below = {}, {}
if number > 0 then
  local place = found and redis.call('ZRANK', BOARD, member) or before(score, member, false)
  local behind = found and place + 1 or place
  above = ranked(math.max(0, place - number), place - 1)
  below = ranked(behind, behind + number - 1)
end
return {CHECKED, score, rank, nearest[2] and string.sub(nearest[2], 2) or '', above, below}
"""
)
