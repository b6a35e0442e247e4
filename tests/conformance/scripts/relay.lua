-- Publications handed on from server to server along a chain.

following = nil

local function follow(handler, ...)
  if following then following:send(handler, ...) end
end

function onServerConnection(server)
  if server.isTarget then
    following = server
    for name, publication in cumulus.publications:pairs() do server:send("publish", name) end
    return
  end
  server.publications = {}
  function server:publish(name)
    local publication = cumulus:publish(name)
    if publication then self.publications[name] = publication end
  end
  function server:unpublish(name)
    local publication = self.publications[name]
    if publication then publication:close() end
    self.publications[name] = nil
  end
  function server:video(name, time, packet)
    local publication = self.publications[name]
    if publication then publication:pushVideoPacket(time, packet) end
  end
  function server:data(name, handler, packet)
    local publication = self.publications[name]
    if publication then publication:pushDataPacket(handler, packet) end
  end
end

function onServerDisconnection(server)
  if following == server then following = nil end
  for name, publication in pairs(server.publications or {}) do publication:close() end
end

function onPublish(client, publication) follow("publish", publication.name) end
function onUnpublish(client, publication) follow("unpublish", publication.name) end
function onVideoPacket(client, publication, time, packet) follow("video", publication.name, time, packet) end
function onDataPacket(client, publication, name, packet) follow("data", publication.name, name, packet) end

function onSubscribe(client, listener)
  if listener.publication.listeners.count >= 1 and following then error(following.publicAddress) end
end
