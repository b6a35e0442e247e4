-- A beacon: tells the local network of this server, answers those who ask, and knows which other
-- servers are there. docs/beacon.md tells how it is used. In CumulusServer.ini:
--
--   [beacon]
--   port = 20101
--   announce = 255.255.255.255:20101
--
-- Without `port` nothing is received, without `announce` nothing is announced.

local QUESTION = "CumulusServer?" -- and spaces, so that no answer is longer than its question
local ANSWERS = 20 -- a second, to all who ask
local MOST = 100 -- servers that are known
local LONGEST_NAME = 64 -- bytes
local AGAIN = 60 -- seconds until a port that could not be had is tried again

local settings = cumulus.configs.beacon or {}
local port = tonumber(settings.port)
local every = math.max(tonumber(settings.every) or 10, 2)

-- What tells this server's own datagrams from those of others.
local own = cumulus:sha256(cumulus.epochTime .. "/" .. math.random(0)):sub(1, 8):gsub(".", function(c)
  return ("%02x"):format(c:byte())
end)

found = {} -- other servers by address: { name, clients, heard }

-- One line, short enough, of a text from wherever.
local function line(text)
  text = text:gsub("%c", " "):sub(1, LONGEST_NAME)
  for cut = 0, 3 do -- of the last character there may be a part
    local whole = text:sub(1, #text - cut)
    if utf8.len(whole) then return whole end
  end
  return ""
end

-- What is announced, and answered.
local function description()
  return ("CumulusServer %s\nport=%d\nclients=%d\nname=%s\n"):format(
    own,
    tonumber(cumulus.configs.port) or 1935,
    cumulus.clients.count,
    line(settings.name or cumulus.configs.system.nodeName or "")
  )
end

local function announce()
  announced = cumulus.epochTime
  socket:send(description(), settings.announce)
end

-- Whether one more may be answered in this second.
local function mayAnswer()
  local second = cumulus.epochTime // 1000
  if second ~= answering then answering, answers = second, 0 end
  answers = answers + 1
  return answers <= ANSWERS
end

local function forget()
  local count = 0
  for address, server in pairs(found) do
    if cumulus.epochTime - server.heard > 3 * every * 1000 then found[address] = nil
    else count = count + 1 end
  end
  return count
end

local function heard(id, rest, address)
  local theirs = tonumber(rest:match("\nport=(%d%d?%d?%d?%d?)\n"))
  if id == own or not theirs or theirs < 1 or theirs > 65535 then return end
  address = address:gsub(":%d+$", ":" .. theirs)
  if not found[address] and forget() >= MOST then return end
  found[address] = {
    name = line(rest:match("\nname=([^\n]*)\n") or ""),
    clients = math.tointeger(tonumber(rest:match("\nclients=(%d+)\n")) or 0) or 0,
    heard = cumulus.epochTime,
  }
end

local function open()
  tried = cumulus.epochTime
  if not socket then
    socket = cumulus:createUDPSocket(true)
    function socket:onReception(data, address)
      local id, rest = data:match("^CumulusServer (%x+)(\n.*)$")
      if id then return heard(id, rest, address) end
      if data:sub(1, #QUESTION) ~= QUESTION then return end
      local answer = description()
      if #answer <= #data and mayAnswer() then self:send(answer, address) end
    end
  end
  local problem = port and socket:bind("0.0.0.0:" .. port)
  if problem then return WARN("The beacon does not receive: ", problem) end
  bound = true
  NOTE("The beacon ", port and "receives at port " .. port or "does not receive",
    settings.announce and ", and announces to " .. settings.announce or "")
end

function onStart(path)
  if not port and not settings.announce then return end
  open()
  if settings.announce then announce() end
end

function onManage()
  if not socket then return end
  local now = cumulus.epochTime
  if not bound and now - tried > AGAIN * 1000 then open() end
  if settings.announce and now - announced >= every * 1000 then announce() end
  forget()
end

function onConnection(client)
  -- The other servers that were heard of lately.
  function client:servers()
    forget()
    local servers = {}
    for address, server in pairs(found) do
      servers[#servers + 1] = {
        url = "rtmfp://" .. address .. "/",
        name = server.name,
        clients = server.clients,
      }
    end
    table.sort(servers, function(a, b) return a.url < b.url end)
    return servers
  end
end
