#!lua
-- Reserves keys and windows, each record's together or not at all, one record after the other.
-- ARGV from 8: the token, the age in ms, the number of streams; for each stream its label, the hash of its topic, its
-- partition and its epoch (empty where it belongs to no assignment); then the records.
-- Gives the owner, what is refused, and the labels that this names.
--@prelude
beat()
local token, expires_ms = ARGV[8], now_ms + tonumber(ARGV[9])

local streams, place = {}, 11
for stream = 1, tonumber(ARGV[10]) do
    local label, positions, partition, epoch = unpack(ARGV, place, place + 3)
    local fenced = false
    if epoch ~= '' then
        local standing = redis.call('HGET', positions, 'e' .. partition)
        fenced = standing and above(standing, epoch)
        if epoch ~= '0' and (not standing or above(epoch, standing)) then
            -- The store gave this epoch and has lost it since (a flush, a copy without the last writes): others must
            -- be fenced by it all the same.
            redis.call('HSET', positions, 'e' .. partition, epoch)
        end
    end
    streams[stream] = {label = label, fenced = fenced}
    place = place + 4
end

local records = ARGV[place]
local WIDTH = 67
local FORM = '>c16I2Bc8c16c8c8c8'
local KEYED, WINDOWED, REDRIVEN, OPEN_ENDED = 1, 2, 4, 8

local slots, settled = {}, {}
for first = 1, #records, WIDTH do
    slots[#slots + 1] = string.sub(records, first, first + 15)
end
get_all('dc1s', slots, settled)
get_all('dc1r', slots, reserved)
get_scopes(records, WIDTH, 19, 28)

local refused = {}
local NOWHEN = string.rep('\0', 8)

-- `who`: event time and holder of each, and behind them the token, where it is still reserved.
local function refuse(index, why, who)
    for _, one in ipairs(who or {}) do
        tell_label(string.sub(one, 9))
    end
    refused[#refused + 1] = {index, why, unpack(who or {})}
end

-- Whether an event time of 8 bytes is before another; by numbers, because text is sorted as the server's locale wants.
local function before(one, other)
    local high, low = struct.unpack('>I4I4', one)
    local other_high, other_low = struct.unpack('>I4I4', other)
    return high < other_high or high == other_high and low < other_low
end

-- Accepted by others and near: they settle it. Else what is reserved near: by whom it must wait, and what may end.
local function weigh(scope, from, beyond, open_ended, holder)
    local accepted, waits, ended = {}, {}, {}
    local to = open_ended and '+' or '(' .. beyond
    for _, row in ipairs(redis.call('ZRANGEBYLEX', 'dc1w' .. scope, '[' .. from, to)) do
        if string.sub(row, 9, 19) ~= holder and struct.unpack('>I3', row, 20) * 3600 > now_s then
            accepted[#accepted + 1] = string.sub(row, 1, 19)
        end
    end
    if #accepted > 0 then
        return accepted, waits, ended
    end
    local all = rivals_of(scope)
    for first = 1, #all, 24 do
        local at, slot = string.sub(all, first, first + 7), string.sub(all, first + 8, first + 23)
        local other, held, whose, ends_ms, its_scope, its_at = reserved_of(slot)
        if not other or its_scope ~= scope or its_at ~= at or before(at, from)
            or not (open_ended or before(at, beyond)) then
            -- Not near, or no more than a trace of what is gone.
        elseif other ~= holder and not lapsed(whose, ends_ms) then
            waits[#waits + 1] = at .. other .. held
        else
            ended[#ended + 1] = slot
        end
    end
    return accepted, waits, ended
end

local function reserve(index, slot, stream, flags, offset, scope, at, from, beyond)
    local keyed, windowed = flags % 2 >= KEYED, flags % 4 >= WINDOWED
    if streams[stream].fenced then
        return refuse(index, 'fenced')
    end
    if not keyed and not windowed then
        return
    end
    streams[stream].source = streams[stream].source or holder_of(streams[stream].label, '')
    local holder = streams[stream].source .. offset
    local state, who = settled_of(settled[slot])
    if state == 'C' then
        return refuse(index, 'duplicate', {NOWHEN .. who})
    end
    local redriven = flags % 8 >= REDRIVEN
    if state == 'D' and not redriven and redis.call('EXISTS', 'dc1l' .. slot .. holder) == 1 then
        return refuse(index, 'buried')
    end
    local waits, ended = {}, {}
    if windowed then
        local accepted
        accepted, waits, ended = weigh(scope, from, beyond, flags >= OPEN_ENDED, holder)
        if #accepted > 0 then
            return refuse(index, 'windowed', accepted)
        end
    end
    local other, held, whose, ends_ms = reserved_of(slot)
    if other and other ~= holder and not lapsed(whose, ends_ms) then
        return refuse(index, 'wait', {NOWHEN .. other .. held})
    end
    if #waits > 0 then
        return refuse(index, 'wait', waits)
    end
    for _, one in ipairs(ended) do
        end_reservation(one)
    end
    end_reservation(slot)
    local row = struct.pack('>c11c8c8d', holder, token, owner, expires_ms)
    if windowed then
        row = row .. scope .. at
        without_rival(scope, at .. slot)
        rivals[scope] = (rivals[scope] or '') .. at .. slot
        write_rivals(scope)
    end
    redis.call('SET', 'dc1r' .. slot, row, 'EX', FORGOTTEN_S)
    reserved[slot] = row
end

for index = 0, #slots - 1 do
    reserve(index, struct.unpack(FORM, records, index * WIDTH + 1))
end
return {'ok', owner, refused, told_labels()}
