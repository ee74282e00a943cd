-- Returns the value of KEYS[1] without the pictures in it, which may be megabytes
-- and say nothing about the session: an empty text stands for each. Where that
-- cannot be done for certain, or the value is larger than ARGV[1], it returns
-- nothing.
if redis.call('STRLEN', KEYS[1]) > tonumber(ARGV[1]) then return false end
local value = redis.call('GET', KEYS[1])
if not value then return false end
local name, parts, from = '"content":"', {}, 1
while true do
	local _, open = string.find(value, name, from, true)
	if not open then break end
	local close = string.find(value, '"', open + 1, true)
	local escape = string.find(value, '\\', open + 1, true)
	if not close or escape and escape < close then return false end
	parts[#parts + 1] = string.sub(value, from, open)
	from = close
	if #parts > 100 then return false end
end
parts[#parts + 1] = string.sub(value, from)
return table.concat(parts)
