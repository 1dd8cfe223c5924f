#!lua flags=allow-oom
-- Writes keys and windows as accepted, whoever holds them, and ends their reservations. Also when the memory is full:
-- what was acknowledged has happened, and there is no more of it than was reserved.
-- ARGV from 8: how long keys, windows and once-for-ever ids are kept, in s; the number of streams; their labels; the
-- number of topologies; their versions; then the records.
--@prelude
beat()
local key_h = expiry_h(tonumber(ARGV[8]))
local window_h, ever_h = expiry_h(tonumber(ARGV[9])), expiry_h(tonumber(ARGV[10]))

local sources, place = {}, 12
for stream = 1, tonumber(ARGV[11]) do
    sources[stream] = holder_of(ARGV[place], '')
    place = place + 1
end
local topologies = {}
local count = tonumber(ARGV[place])
for topology = 1, count do
    topologies[topology] = number_of('dc1:topologies', 'dc1:versions', ARGV[place + topology])
end

local records = ARGV[place + count + 1]
local WIDTH = 53
local FORM = '>c16I2I2Bc8c16c8'
local KEYED, WINDOWED, FOR_EVER = 1, 2, 4

local slots, settled = {}, {}
for first = 1, #records, WIDTH do
    slots[#slots + 1] = string.sub(records, first, first + 15)
end
get_all('dc1s', slots, settled)
get_all('dc1r', slots, reserved)
get_scopes(records, WIDTH, 21, 30)

local function accept(scope, at, holder, hour)
    local windows, row = 'dc1w' .. scope, at .. holder
    -- Confirmed again later, it has a second row until the first one expires: that does no harm.
    redis.call('ZADD', windows, 0, row .. struct.pack('>I3', hour))
    local seconds = seconds_to(hour)
    if redis.call('EXPIRE', windows, seconds, 'NX') == 0 then
        redis.call('EXPIRE', windows, seconds, 'GT')
    end
    -- A scope that lives on must lose what has expired: two looks for each new one keep up.
    if redis.call('ZCARD', windows) > 8 then
        for _, old in ipairs(redis.call('ZRANDMEMBER', windows, 2)) do
            if struct.unpack('>I3', old, 20) * 3600 <= now_s then
                redis.call('ZREM', windows, old)
            end
        end
    end
end

local function confirm(slot, stream, topology, flags, offset, scope, at)
    local keyed, windowed = flags % 2 >= KEYED, flags % 4 >= WINDOWED
    if not keyed and not windowed then
        return
    end
    local holder = sources[stream] .. offset
    end_reservation(slot)
    -- The window first: should the script be cut short after all, the call is repeated, and the key must not
    -- have settled it meanwhile.
    if windowed then
        accept(scope, at, holder, flags >= FOR_EVER and ever_h or window_h)
    end
    if keyed and settled_of(settled[slot]) ~= 'C' then
        local row = settled_row('C', key_h, topologies[topology], holder)
        redis.call('SET', 'dc1s' .. slot, row, 'EX', seconds_to(key_h))
        settled[slot] = row
    end
end

for index = 0, #slots - 1 do
    confirm(struct.unpack(FORM, records, index * WIDTH + 1))
end
return {'ok', owner}
