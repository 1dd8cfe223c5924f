#!lua flags=allow-oom
-- Records first positions where there are none, and gives all of the topic.
-- ARGV from 8: the topic's hash, then partition and offset by turns.
--@prelude
beat()
for place = 9, #ARGV, 2 do
    redis.call('HSETNX', ARGV[8], 's' .. ARGV[place], ARGV[place + 1])
end
local standing, rows = {}, redis.call('HGETALL', ARGV[8])
for place = 1, #rows, 2 do
    if string.sub(rows[place], 1, 1) == 's' then
        standing[#standing + 1] = string.sub(rows[place], 2)
        standing[#standing + 1] = rows[place + 1]
    end
end
return {'ok', owner, standing}
