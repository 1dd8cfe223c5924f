#!lua flags=allow-oom
-- Keeps the lease, and forgets owners that lapsed an hour ago. ARGV[8]: that hour, in ms.
--@prelude
beat()
local owners = redis.call('HGETALL', 'dc1:owners')
for place = 1, #owners, 2 do
    if owners[place + 1] + tonumber(ARGV[8]) <= now_ms then
        redis.call('HDEL', 'dc1:owners', owners[place])
    end
end
return {'ok', owner}
