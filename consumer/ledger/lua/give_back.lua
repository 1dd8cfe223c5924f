#!lua flags=allow-oom
-- Gives back what the tokens still hold; after a dead letter the holder's row stays behind as dead-lettered.
-- ARGV from 8: how long dead letters are kept in s, empty where there are none; the number of streams; their labels;
-- the number of topologies; their versions; then the records.
--@prelude
beat()
local bury = ARGV[8] ~= ''
local hour = bury and expiry_h(tonumber(ARGV[8]))

local sources, place = {}, 10
for stream = 1, tonumber(ARGV[9]) do
    sources[stream] = holder_of(ARGV[place], '')
    place = place + 1
end
local topologies = {}
local count = tonumber(ARGV[place])
for topology = 1, count do
    topologies[topology] = number_of('dc1:topologies', 'dc1:versions', ARGV[place + topology])
end

local records = ARGV[place + count + 1]
local WIDTH = 36
local FORM = '>c16I2I2c8c8'

for first = 1, #records, WIDTH do
    local slot, stream, topology, offset, token = struct.unpack(FORM, records, first)
    local holder = sources[stream] .. offset
    local standing, held_by = reserved_of(slot)
    if standing == holder and held_by == token then
        end_reservation(slot)
        if bury then
            local row = settled_row('D', hour, topologies[topology], holder)
            redis.call('SET', 'dc1s' .. slot, row, 'EX', seconds_to(hour))
            redis.call('SET', 'dc1l' .. slot .. holder, '', 'EX', seconds_to(hour))
        end
    end
end
return {'ok', owner}
