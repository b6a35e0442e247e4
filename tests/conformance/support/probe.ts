/**
 * Lua that tests put at the top of an application: `probe(client)` lets that client run Lua in
 * the application (see Peer.lua), and `record(...)` keeps what an event got in `events`.
 */
export const probe = `
events = {}
function record(...)
  events[#events + 1] = { ... }
end
function count(name)
  local n = 0
  for _, event in ipairs(events) do
    if event[1] == name then n = n + 1 end
  end
  return n
end
function probe(client)
  function client:lua(code, ...)
    local run, problem = load(code, "=probe", "t", _ENV)
    if not run then error(problem, 0) end
    return (run(self, ...))
  end
end
function hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02X"):format(c:byte()) end))
end
function unhex(digits)
  return (digits:gsub("%s", ""):gsub("%x%x", function(d) return string.char(tonumber(d, 16)) end))
end
`;

/** An application that lets its clients run Lua, and nothing else. */
export const probed = `${probe}
function onConnection(client) probe(client) end
`;
