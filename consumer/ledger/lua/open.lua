#!lua flags=allow-oom
-- Finds the ledger of this database, or makes it. ARGV: an id for a new one, the format of this release.
local standing = tonumber(redis.call('HGET', 'dc1:ledger', 'format') or ARGV[2])
if standing > tonumber(ARGV[2]) then
    return {'newer', tostring(standing)}
end
redis.call('HSETNX', 'dc1:ledger', 'id', ARGV[1])
redis.call('HSETNX', 'dc1:ledger', 'format', ARGV[2])
return {'ok', redis.call('HGET', 'dc1:ledger', 'id')}
