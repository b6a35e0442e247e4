-- Recordings: records publications into www/vod/streams; play them at http://host:8080/vod/.
-- See docs/recording.md.

-- Encoders append the key to the stream's name: cam?key=secret. With nil only programs on this machine may
-- publish.
local key = nil

local function isLocal(client)
  return client.address:find("^127%.") ~= nil or client.address:find("^%[::1%]") ~= nil
end

function onPublish(client, publication)
  local told = publication.properties.key
  if key and told ~= key or not key and not isLocal(client) then
    error("publishing needs the key: see www/vod/main.lua")
  end
  local done, reason = publication:record()
  if not done then WARN(publication.name, " is not recorded: ", reason) end
end

function onUnpublish(client, publication)
  NOTE("Recorded ", publication.name)
end
