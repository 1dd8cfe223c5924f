#!lua flags=allow-oom
-- What is known of each slot: the settled row's state and holder, its topology, and who has it reserved. Writes nothing;
-- not marked as such, because a replica must not answer it: who may not write there is not to be called ready.
-- ARGV from 8: the slots.
--@prelude
local slots, settled = {}, {}
for first = 1, #ARGV[8], 16 do
    slots[#slots + 1] = string.sub(ARGV[8], first, first + 15)
end
get_all('dc1s', slots, settled)
get_all('dc1r', slots, reserved)

local known = {}
for index, slot in ipairs(slots) do
    local state, holder, topology = settled_of(settled[slot])
    local other, _, whose, ends_ms = reserved_of(slot)
    if other and lapsed(whose, ends_ms) then
        other = nil
    end
    local version = ''
    if state then
        tell_label(holder)
        version = redis.call('HGET', 'dc1:versions', decimal(topology)) or ''
    end
    if other then
        tell_label(other)
    end
    known[index] = {state or '', holder or '', version, other or ''}
end
return {'ok', owner, known, told_labels()}
