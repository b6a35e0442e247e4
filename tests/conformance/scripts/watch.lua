-- Guards and figures: names and passwords by the URL, limits by address, quality of service, a blacklist.

local limits = { perAddress = 2 }
local addresses = setmetatable({}, { __index = function() return 0 end })

local function ip(client) return string.match(client.address, "^(.-):%d+$") end

function onConnection(client, ...)
  if client.token ~= cumulus:md5("secret" .. (client.user or "")):gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end) then
    error("wrong token")
  end
  if addresses[ip(client)] >= limits.perAddress then error(string.format("only %d from %s", limits.perAddress, ip(client))) end
  addresses[ip(client)] = addresses[ip(client)] + 1
  client.since = os.time()

  function client:report()
    local report = {}
    for name, publication in cumulus.publications:pairs() do
      local qos = publication.videoQOS
      report[name] = { listeners = publication.listeners.count, lost = qos.lostRate * 100, dropped = qos.droppedFrames }
    end
    return report, nil
  end

  function client:ban(address) cumulus:addToBlacklist(address) return true end
end

function onDisconnection(client)
  addresses[ip(client)] = addresses[ip(client)] - 1
  INFO(client.user, " stayed ", os.difftime(os.time(), client.since), " s")
end

function onFailed(client, why) WARN(client.user, " failed: ", why) end

function onManage()
  for id, client in cumulus.clients:pairs() do
    if client.ping > 1000 or client.elapsedFromReception > 60000 then client.writer:close() end
  end
end
