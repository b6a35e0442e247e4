-- Recordings: records publications into www/vod/streams; play them at http://host:8080/vod/.
-- docs/recording.md

-- Encoders write it behind the stream's name, as cam?key=secret. Without one only programs of this machine
-- may publish.
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
