-- Live streams, with a password for publishing and, if you like, one for playing.
-- For clients see docs/live.md. In CumulusServer.ini:
--
--   [live]
--   publish = a password
--   play = another one
--
-- Without a key, every client may publish or play.

local passwords = cumulus.configs.live or {}

-- Whether a client's password is right. The function compares digests, not texts,
-- so that its duration reveals nothing of the password.
local function knows(given, wanted)
  if not wanted then return true end
  return cumulus:sha256(tostring(given)) == cumulus:sha256(wanted)
end

-- Tells a publisher its number of listeners; `change` is 1 for a listener that is about to be counted.
local function tellViewers(publication, change)
  local publisher = publishers[publication.name]
  if publisher then
    publisher.writer:writeAMFMessage("onViewers", publication.name, publication.listeners.count + change)
  end
end

publishers = {} -- client by name of its stream

-- Fields also return parameters of the client's URL, as texts. Fields set by this script are tables, or true.
function onStart(path)
  for id, client in cumulus.clients:pairs() do
    if type(client.liveStreams) == "table" then
      for name in pairs(client.liveStreams) do publishers[name] = client end
    end
  end
end

-- The password is the first parameter of connect, or "?password=" in the URL. The parameter is the
-- better place: the URL travels before the connection is encrypted.
function onConnection(client, password)
  password = password or client.password
  client.mayPublish = knows(password, passwords.publish)
  client.mayPlay = client.mayPublish or knows(password, passwords.play)
  client.liveStreams = {}
  -- Encoders and players of RTMP may append it to the stream's name instead, which they hide as the
  -- stream key: "cam?password=...". onPublish and onSubscribe check it.
  local isRtmp = client.protocol == "rtmp" or client.protocol == "rtmps"
  if isRtmp and password == nil and not client.mayPlay then return end
  if not client.mayPlay then error("That is not the password") end

  function client:streams()
    local streams = {}
    for name in pairs(publishers) do
      streams[#streams + 1] = { name = name, viewers = cumulus.publications(name).listeners.count }
    end
    table.sort(streams, function(a, b) return a.name < b.name end)
    return streams
  end
end

function onPublish(client, publication)
  if client.mayPublish ~= true and not knows(publication.properties.password, passwords.publish) then
    error("Publishing takes a password")
  end
  publishers[publication.name] = client
  client.liveStreams[publication.name] = true
  NOTE(client.address, " publishes ", publication.name)
end

function onUnpublish(client, publication)
  publishers[publication.name] = nil
  if type(client.liveStreams) == "table" then client.liveStreams[publication.name] = nil end
end

function onSubscribe(client, listener)
  local password = listener.properties.password
  if client.mayPlay ~= true and not knows(password, passwords.play)
    and not (password and knows(password, passwords.publish)) then
    error("Playing takes a password")
  end
  tellViewers(listener.publication, 1)
end

-- A client of RTMP may have connected without a password, see onConnection.
function onSharedObject(client, object)
  if client.mayPlay ~= true then error("Sharing takes a password") end
end

function onUnsubscribe(client, listener)
  tellViewers(listener.publication, -1)
end
