-- Clients go to the server of the bus that has the fewest. docs/scalability.md explains when to use it.

function onHandshake(address, path, properties, attempts)
  if attempts > 2 then return end -- the chosen servers have not answered
  return cumulus.servers
end

function onConnection(client)
  function client:where() return cumulus.publicAddress, cumulus.clients.count end
end
