-- Clients go to the server of the bus that has the fewest. docs/scalability.md tells when to use it.

local MARGIN = 3 -- a server with so many clients fewer is not worth a detour

-- Clients at a server as it told a second ago, and those sent there since.
local function clientsAt(server)
  if server.balanceTold ~= server.load then
    server.balanceTold, server.balanceSent = server.load, 0
  end
  return server.load + server.balanceSent
end

function onHandshake(address, path, properties, attempts)
  if attempts > 2 then return end -- nobody answered there
  local best, fewest = nil, cumulus.clients.count - MARGIN
  for i, server in cumulus.servers:ipairs() do
    if server.load and clientsAt(server) < fewest then best, fewest = server, clientsAt(server) end
  end
  if not best then return end
  best.balanceSent = best.balanceSent + 1
  return best
end

function onConnection(client)
  function client:where() return cumulus.publicAddress, cumulus.clients.count end
end
