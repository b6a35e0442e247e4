-- A beacon: announces this server on the local network, answers requests, and lists the other
-- servers there. For its use see docs/beacon.md. In CumulusServer.ini:
--
--   [beacon]
--   port = 20101
--   announce = 255.255.255.255:20101
--
-- Without `port` the script does not receive; without `announce` it does not announce.

local QUESTION = "CumulusServer?" -- padded with spaces, so that no answer is longer than its question
local MAX_ANSWERS = 20 -- a second, to all hosts together
local MAX_SERVERS = 100 -- known servers
local MAX_OF_HOST = 8 -- known servers of one host
local MAX_NAME = 64 -- bytes
local RETRY_INTERVAL = 60 -- seconds between attempts to bind the port

local settings = cumulus.configs.beacon or {}
local port = tonumber(settings.port)
local every = math.max(tonumber(settings.every) or 10, 2)

-- Distinguishes this server's own datagrams from others.
local own = cumulus:sha256(cumulus.epochTime .. "/" .. math.random(0)):sub(1, 8):gsub(".", function(c)
  return ("%02x"):format(c:byte())
end)

found = {} -- other servers by address: { name, clients, heard, host }

-- A text of an unknown sender as one line of at most MAX_NAME bytes.
local function line(text)
  text = text:gsub("%c", " "):sub(1, MAX_NAME)
  for cut = 0, 3 do -- the last character may be incomplete
    local whole = text:sub(1, #text - cut)
    if utf8.len(whole) then return whole end
  end
  return ""
end

-- The text of announcements and answers.
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

-- Whether the script may answer one more question in this second.
local function mayAnswer()
  local second = cumulus.epochTime // 1000
  if second ~= answering then answering, answers = second, 0 end
  answers = answers + 1
  return answers <= MAX_ANSWERS
end

local function forget()
  for address, server in pairs(found) do
    if cumulus.epochTime - server.heard > 3 * every * 1000 then found[address] = nil end
  end
end

-- Makes room for one more server of a host: if the host has its share, removes its server that was silent
-- longest; if the table is full, removes one of the host with most servers. So a host that announces
-- many servers does not displace others.
local function makeRoom(host)
  forget()
  local count, shares, highest = 0, {}, 0
  for address, server in pairs(found) do
    count = count + 1
    shares[server.host] = (shares[server.host] or 0) + 1
    highest = math.max(highest, shares[server.host])
  end
  local full = (shares[host] or 0) >= MAX_OF_HOST
  if not full and count < MAX_SERVERS then return end
  local oldest
  for address, server in pairs(found) do
    local mayGo = full and server.host == host or not full and shares[server.host] == highest
    if mayGo and (not oldest or server.heard < found[oldest].heard) then oldest = address end
  end
  found[oldest] = nil
end

local function heard(id, rest, address)
  local theirs = tonumber(rest:match("\nport=(%d%d?%d?%d?%d?)\n"))
  if id == own or not theirs or theirs < 1 or theirs > 65535 then return end
  local host = address:gsub(":%d+$", "")
  address = host .. ":" .. theirs
  if not found[address] then makeRoom(host) end
  found[address] = {
    host = host,
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
  if not bound and now - tried > RETRY_INTERVAL * 1000 then open() end
  if settings.announce and now - announced >= every * 1000 then announce() end
  forget()
end

function onConnection(client)
  -- The other servers that announced themselves recently.
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
