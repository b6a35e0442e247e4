-- NetGroups over several servers: members here are announced there as virtual members.

function onJoinGroup(client, group)
  cumulus.servers:broadcast("join", group.rawId, client.rawId)
end

function onUnjoinGroup(client, group)
  cumulus.servers:broadcast("unjoin", group.rawId, client.rawId)
end

function onServerConnection(server)
  server.members = {}
  for id, group in cumulus.groups:pairs() do
    for i, client in group:ipairs() do server:send("join", group.rawId, client.rawId) end
  end

  function server:join(groupId, clientId)
    self.members[groupId .. clientId] = cumulus.groups:join(clientId, groupId)
  end

  function server:unjoin(groupId, clientId)
    local member = self.members[groupId .. clientId]
    if member then member:release() end
    self.members[groupId .. clientId] = nil
  end
end

function onServerDisconnection(server)
  for key, member in pairs(server.members) do member:release() end
end

local index = 0
function onHandshake(address, path, properties, attempts)
  if cumulus.servers.count == 0 then return end
  if properties.acceptableAttempts and attempts > properties.acceptableAttempts then return cumulus.servers, "again" end
  index = index + 1
  if index > cumulus.servers.count then index = 1 end
  return cumulus.servers(index)
end

function onRendezVousUnknown(peerId)
  return cumulus.servers
end
