#!lua flags=allow-oom
-- Writes a new epoch for each partition, above the one that stands, and gives it with position and horizon last recorded.
-- ARGV from 8: six random digits, then for each partition the hash of its topic and its number.
-- An epoch is the calendar's milliseconds and those digits, so that it is new also after a flush.
--@prelude
beat()
local answers = {}
for place = 9, #ARGV, 2 do
    local positions, partition = ARGV[place], ARGV[place + 1]
    local epoch = decimal(wall_ms) .. ARGV[8]
    local standing = redis.call('HGET', positions, 'e' .. partition)
    if standing and not above(epoch, standing) then
        redis.call('HINCRBY', positions, 'e' .. partition, 1)
        epoch = redis.call('HGET', positions, 'e' .. partition)
    else
        redis.call('HSET', positions, 'e' .. partition, epoch)
    end
    answers[#answers + 1] = epoch
    answers[#answers + 1] = redis.call('HGET', positions, 'p' .. partition) or ''
    answers[#answers + 1] = redis.call('HGET', positions, 'h' .. partition) or '0'
end
return {'ok', owner, answers}
