-- Redirects clients to the server of the bus with the fewest clients: see docs/scalability.md.

function onHandshake(address, path, properties, attempts)
  if attempts > 2 then return end -- the servers of earlier answers did not answer
  return cumulus.servers
end

function onConnection(client)
  function client:where() return cumulus.publicAddress, cumulus.clients.count end
end
