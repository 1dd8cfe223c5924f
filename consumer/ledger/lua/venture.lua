#!lua flags=allow-oom
-- Sets the horizons whose epoch stands. ARGV from 8: for each the hash of its topic, its partition, epoch and horizon.
--@prelude
beat()
for place = 8, #ARGV, 4 do
    local positions, partition = ARGV[place], ARGV[place + 1]
    if redis.call('HGET', positions, 'e' .. partition) == ARGV[place + 2] then
        redis.call('HSET', positions, 'h' .. partition, ARGV[place + 3])
    end
end
return {'ok', owner}
