-- Numbers of the server for authorized clients: every two seconds to all clients of this application,
-- and on request. For clients see docs/statistics.md.
-- In CumulusServer.ini:
--
--   [statistics]
--   password = a password
--
-- Without a password, only clients on the same machine may connect.

local settings = cumulus.configs.statistics or {}

watchers = {}

local function streamsNow()
  local streams = {}
  for name, publication in cumulus.publications:pairs() do
    local audio, video = publication.audioQOS, publication.videoQOS
    local dropped = 0
    for i, listener in publication.listeners:ipairs() do
      dropped = dropped + listener.videoQOS.droppedFrames
    end
    streams[#streams + 1] = {
      name = name,
      listeners = publication.listeners.count,
      bytesPerSecond = math.floor(audio.byteRate + video.byteRate),
      lost = math.max(audio.lostRate, video.lostRate),
      latency = video.latency,
      droppedFrames = dropped,
    }
  end
  table.sort(streams, function(a, b) return a.name < b.name end)
  return streams
end

local function clientsNow()
  local applications, slowest = {}, 0
  for id, client in cumulus.clients:pairs() do
    local path = client.path == "" and "/" or client.path
    applications[path] = (applications[path] or 0) + 1
    slowest = math.max(slowest, client.ping)
  end
  return applications, slowest
end

local function statistics()
  local applications, slowest = clientsNow()
  return {
    time = { __time = cumulus.epochTime }, -- a Date at the client
    clients = cumulus.clients.count,
    mostClients = cumulus.mostClients or cumulus.clients.count,
    applications = applications,
    slowestPing = slowest,
    groups = cumulus.groups.count,
    servers = cumulus.servers.count,
    streams = streamsNow(),
  }
end

function onManage()
  -- kept on `cumulus`, which an edit of this file does not reset
  cumulus.mostClients = math.max(cumulus.mostClients or 0, cumulus.clients.count)
  local now
  for client in pairs(watchers) do
    now = now or statistics()
    client.writer:writeAMFMessage("onStatistics", now)
  end
end

function onStart(path)
  for id, client in cumulus.clients:pairs() do
    -- true, not a text: fields also return parameters of the client's URL
    if client.watchesStatistics == true then watchers[client] = true end
  end
end

function onConnection(client, password)
  local here = client.address:match("^127%.") or client.address:match("^%[::1%]")
  if settings.password then
    if cumulus:sha256(tostring(password)) ~= cumulus:sha256(settings.password) then
      error("That is not the password")
    end
  elseif not here then
    error("Set a password in CumulusServer.ini, or ask from the same machine")
  end
  client.watchesStatistics = true
  watchers[client] = true

  function client:statistics()
    return statistics()
  end
end

function onDisconnection(client)
  watchers[client] = nil
end
