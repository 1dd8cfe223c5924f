-- What every script on an open ledger begins with. A script is atomic, so that what is read here stays true to its end.
--
-- Keys (a prefix of 4 bytes, because there are millions of them; digests follow it as they are):
--   dc1s slot   settled: state, expiry, topology, source, offset      dc1r slot   reserved: see reserve.lua
--   dc1l slot holder   a dead letter                                  dc1p group \0 topic   hash: epochs, positions, starts, horizons
--   dc1w scope  accepted, sorted by event time                        dc1v scope  which slots are reserved in it
--   dc1:ledger, dc1:owners, dc1:clock, dc1:sources, dc1:labels, dc1:topologies, dc1:versions
--
-- ARGV: 1 the ledger's id; 2 our owner, 3 another one if that has lapsed, 4 whether a heartbeat is due, 5 the lease in
-- ms; 6 the time of leases and 7 of the calendar in ms, both empty but in tests.
local owner, spare, due, lease_ms = ARGV[2], ARGV[3], ARGV[4] == '1', tonumber(ARGV[5])

if redis.call('HGET', 'dc1:ledger', 'id') ~= ARGV[1] then
    return {'lost'}
end

-- Leases go by a clock that the ledger keeps by itself, with every heartbeat: never back, and never further at once
-- than half a lease. So a server's calendar that is moved, or another server's, lapses no lease and prolongs none.
local now_ms, wall_ms = tonumber(ARGV[6]), tonumber(ARGV[7])
if not now_ms then
    local time = redis.call('TIME')
    wall_ms = time[1] * 1000 + math.floor(time[2] / 1000)
    local clock = redis.call('HMGET', 'dc1:clock', 'wall', 'now')
    if clock[1] then
        now_ms = clock[2] + math.max(0, math.min(wall_ms - clock[1], math.floor(lease_ms / 2)))
    else
        now_ms = wall_ms
    end
end
local now_s = math.floor(wall_ms / 1000)

local function decimal(number)
    return string.format('%.0f', number)
end

-- Keep our lease, if it is time to; where it was missed, we are another owner from now on. A store that does not know
-- us (it was flushed, or is a copy without the last writes) learns of us at once, or others would take what we reserve.
local function beat()
    local until_ms = tonumber(redis.call('HGET', 'dc1:owners', owner) or '')
    if until_ms and until_ms <= now_ms then
        owner, until_ms = spare, nil
    end
    if until_ms and not due then
        return
    end
    redis.call('HSET', 'dc1:owners', owner, decimal(now_ms + lease_ms))
    redis.call('HSET', 'dc1:clock', 'wall', decimal(wall_ms), 'now', decimal(now_ms))
end

local living = {}
local function lapsed(whose, expires_ms)
    if expires_ms <= now_ms then
        return true
    end
    if living[whose] == nil then
        living[whose] = tonumber(redis.call('HGET', 'dc1:owners', whose) or '0') > now_ms
    end
    return not living[whose]
end

-- Whole numbers as text, which doubles would round. They are digits only, so that no locale sorts them differently.
local function above(one, other)
    if #one ~= #other then
        return #one > #other
    end
    return one > other
end

-- A small number for a name, which is written down when it is new. Asked for in the script that writes the number:
-- so no copy of the store, however old, has a number without its name.
local function number_of(names, numbers, name)
    local number = redis.call('HGET', names, name)
    if not number then
        number = decimal(redis.call('HLEN', names) + 1)
        redis.call('HSET', names, name, number)
        redis.call('HSET', numbers, number, name)
    end
    return tonumber(number)
end

-- A stream is a topic's partition on one route. A holder is 11 bytes: the stream's number and the offset.
local function holder_of(label, offset)
    return struct.pack('>I3', number_of('dc1:sources', 'dc1:labels', label)) .. offset
end

local labels = {}
local function tell_label(holder)
    local number = struct.unpack('>I3', holder)
    labels[number] = labels[number] or redis.call('HGET', 'dc1:labels', decimal(number)) or ''
end
local function told_labels()
    local told = {}
    for number, label in pairs(labels) do
        told[#told + 1] = number
        told[#told + 1] = label
    end
    return told
end

-- Rows expire by whole hours, and when that is, is written in them. The store's own expiry only frees the memory.
local function expiry_h(keep_s)
    return math.floor((now_s + keep_s) / 3600) + 1
end
local function seconds_to(hour)
    return math.max(1, hour * 3600 - now_s)
end

local function settled_row(state, hour, topology, holder)
    -- Without the zeros that an offset begins with: there are millions of these rows.
    local offset = string.match(holder, '^%z*(.*)$', 4)
    return struct.pack('>c1I3I3c3', state, hour, topology, holder) .. offset
end
local function settled_of(row)
    if not row then
        return nil
    end
    local state, hour, topology = struct.unpack('>c1I3I3', row)
    if hour * 3600 <= now_s then
        return nil
    end
    local offset = string.sub(row, 11)
    return state, string.sub(row, 8, 10) .. string.rep('\0', 8 - #offset) .. offset, topology
end

-- Many values in few calls.
local function get_all(prefix, names, into)
    for first = 1, #names, 500 do
        local keys = {}
        for place = first, math.min(first + 499, #names) do
            keys[#keys + 1] = prefix .. names[place]
        end
        local rows = redis.call('MGET', unpack(keys))
        for place = 1, #keys do
            into[names[first + place - 1]] = rows[place]
        end
    end
end

-- Reservations: key and window in one row, so that they can't come apart: holder, token, owner, expiry, and with a
-- window scope and event time. `dc1v` is no more than the index by which those of a scope are found: event time and
-- slot of each, 24 bytes. What a crash leaves behind goes in two days, long after its age.
local FORGOTTEN_S = 172800
local reserved, rivals = {}, {}
local function reserved_of(slot)
    local row = reserved[slot]
    if row == nil then
        row = redis.call('GET', 'dc1r' .. slot)
        reserved[slot] = row
    end
    if not row then
        return nil
    end
    local holder, token, whose, expires_ms = struct.unpack('>c11c8c8d', row)
    return holder, token, whose, expires_ms, string.sub(row, 36, 51), string.sub(row, 52)
end
local function rivals_of(scope)
    if rivals[scope] == nil then
        rivals[scope] = redis.call('GET', 'dc1v' .. scope)
    end
    return rivals[scope] or ''
end
-- The index without one entry; whether none is left.
local function without_rival(scope, entry)
    local left, all = {}, rivals_of(scope)
    for first = 1, #all, 24 do
        local one = string.sub(all, first, first + 23)
        if one ~= entry then
            left[#left + 1] = one
        end
    end
    rivals[scope] = #left > 0 and table.concat(left)
    return #left == 0
end
local function write_rivals(scope)
    redis.call('SET', 'dc1v' .. scope, rivals[scope], 'EX', FORGOTTEN_S)
end
local function end_reservation(slot)
    local holder, _, _, _, scope, at = reserved_of(slot)
    if not holder then
        return
    end
    reserved[slot] = false
    if scope == '' then
        redis.call('DEL', 'dc1r' .. slot)
    elseif without_rival(scope, at .. slot) then
        redis.call('DEL', 'dc1r' .. slot, 'dc1v' .. scope)
    else
        redis.call('DEL', 'dc1r' .. slot)
        write_rivals(scope)
    end
end

-- The different scopes of a call's records, by where flags and scope are in one: read all at once.
local function get_scopes(records, width, flags_at, scope_at)
    local scopes, seen = {}, {}
    for first = 0, #records - 1, width do
        if string.byte(records, first + flags_at) % 4 >= 2 then
            local scope = string.sub(records, first + scope_at, first + scope_at + 15)
            if not seen[scope] then
                seen[scope] = true
                scopes[#scopes + 1] = scope
            end
        end
    end
    get_all('dc1v', scopes, rivals)
end
