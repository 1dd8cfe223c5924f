#!lua flags=allow-oom
-- Raises positions; none falls. ARGV from 8: for each the hash of its topic, its partition and its offset.
--@prelude
beat()
for place = 8, #ARGV, 3 do
    local standing = redis.call('HGET', ARGV[place], 'p' .. ARGV[place + 1])
    if not standing or above(ARGV[place + 2], standing) then
        redis.call('HSET', ARGV[place], 'p' .. ARGV[place + 1], ARGV[place + 2])
    end
end
return {'ok', owner}
