-- A chat of Flash clients and telnet users: everybody receives every message. docs/telnet.md
-- explains how clients use it. In CumulusServer.ini:
--
--   [telnet]
--   port = 2323
--
-- Without a port only Flash clients chat.

local lines = require "lines"

local MAX_NAME, MAX_TEXT = 32, 400 -- characters
local MAX_LINE = 1600 -- bytes of telnet
local AT_ONCE, PER_SECOND = 10, 2 -- maximum messages of one person
local MAX_EXCESS = 50 -- messages beyond these, then the script disconnects a telnet user
local MAX_UNSENT = 65536 -- bytes for a telnet user who does not read
local NAME_TIMEOUT, SILENCE_TIMEOUT = 60, 3600 -- seconds until the script disconnects a telnet user
local RETRY_INTERVAL = 60 -- seconds between attempts to listen at the port

local settings = cumulus.configs.telnet or {}
local port = tonumber(settings.port)
local most = tonumber(settings.users) or 100
local each = tonumber(settings.each) or 10 -- telnet users of one address

people = {} -- by name: each with tell(handler, …), which returns whether it has sent
users = {} -- telnet users by TCP client; a new one has no name

-- A text without spaces at its ends, in linear time even with many spaces inside.
local function trim(text)
  local start = text:find("%S")
  return start and text:match("^.*%S", start) or ""
end

-- A text for any terminal: UTF-8 without control characters.
local function clean(text, longest)
  if type(text) ~= "string" or not utf8.len(text) then return "" end
  text = trim(text:gsub("%c", " "):gsub("\xC2[\x80-\x9F]", " "))
  return text:sub(1, (utf8.offset(text, longest + 1) or 0) - 1)
end

local function tell(handler, ...)
  local count = 0
  for name, person in pairs(people) do
    if person.tell(handler, ...) then count = count + 1 end
  end
  return count
end

-- Whether a person may send a message now; frequent senders must wait.
local function maySay(person)
  local now = cumulus.epochTime
  local since = (now - (person.spoke or 0)) / 1000
  person.spoke = now
  person.credit = math.min(AT_ONCE, (person.credit or AT_ONCE) + since * PER_SECOND)
  person.credit = person.credit - 1
  return person.credit >= 0
end

-- Adds a person under a free name. Returns an error, or nothing.
local function join(person, name)
  name = clean(name, MAX_NAME)
  if name == "" or name:find("^[/*]") then return "A name, please" end
  if people[name] then return "Somebody is called " .. name .. " already" end
  tell("onJoined", name)
  person.name = name
  people[name] = person
end

local function leave(person)
  if not person.name or people[person.name] ~= person then return end
  people[person.name] = nil
  tell("onLeft", person.name)
end

-- Calls a handler for everybody, and counts them.
local function say(person, text)
  text = clean(text, MAX_TEXT)
  if text == "" then return 0 end
  return tell("onSaid", person.name, text)
end

local function whisper(person, to, text)
  text = clean(text, MAX_TEXT)
  return text ~= "" and people[to] ~= nil and people[to].tell("onWhispered", person.name, text)
end

local function who()
  local names = {}
  for name in pairs(people) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- Telnet

-- The lines that telnet users get for the calls to clients.
local SHOWN = {
  onSaid = "%s: %s",
  onWhispered = "%s whispers: %s",
  onJoined = "* %s is here",
  onLeft = "* %s has left",
}

local HELP = "* /who tells who is here, /to NAME TEXT whispers, /quit leaves; all else is said to everybody"

-- Sends a line. If the user does not read, the next onManage disconnects it.
local function show(user, text)
  if user.gone then return false end
  user.gone = user.client:send(text .. "\r\n") ~= nil or user.client.unsent > MAX_UNSENT
  return not user.gone
end

local COMMANDS = {
  ["/who"] = function(user) show(user, "* " .. table.concat(who(), ", ")) end,
  ["/help"] = function(user) show(user, HELP) end,
  ["/quit"] = function(user)
    show(user, "* Goodbye")
    user.client:disconnect()
  end,
  ["/to"] = function(user, rest)
    -- names may contain spaces: the longest matching name counts
    local name
    for stop in (rest .. " "):gmatch("()%s") do
      if people[rest:sub(1, stop - 1)] then name = rest:sub(1, stop - 1) end
    end
    if not name or not whisper(user, name, rest:sub(#name + 1)) then show(user, "* Nobody heard that") end
  end,
}

local function heard(user, line)
  user.heard = cumulus.epochTime
  if not maySay(user) then
    show(user, "* Slowly, please")
    if user.credit < -MAX_EXCESS then user.client:disconnect() end
    return
  end
  if not line then return show(user, "* That was too long") end
  if not utf8.len(line) then return show(user, "* That is not UTF-8") end
  if not user.name then
    local problem = join(user, line)
    return show(user, problem and "* " .. problem or "* Welcome, " .. user.name .. ". /help helps")
  end
  local command, rest = line:match("^(/%a+)(.*)$")
  if not command then return say(user, line) end
  local f = COMMANDS[command] or COMMANDS["/help"]
  f(user, trim(rest))
end

-- The source of a user: an IPv4 address, or the network of an IPv6 address, since a user may have all
-- its 2^64 addresses. Link-local addresses share one network, so each counts by itself.
local function originOf(client)
  local ip = client.peerAddress:gsub(":%d+$", "")
  local inside = ip:match("^%[(.*)%]$")
  if not inside or inside:find("^fe80:") then return ip end
  local head, tail = inside:match("^(.-)::(.*)$")
  local groups, after = {}, 0
  for group in (head or inside):gmatch("[^:]+") do groups[#groups + 1] = group end
  for group in (tail or ""):gmatch("[^:]+") do after = after + 1 end
  if tail then for i = #groups + 1, 8 - after do groups[i] = "0" end end
  for group in (tail or ""):gmatch("[^:]+") do groups[#groups + 1] = group end
  return table.concat(groups, ":", 1, 4)
end

local function welcome(client)
  local user = {
    client = client, reader = lines.reader(MAX_LINE), heard = cumulus.epochTime,
    origin = originOf(client),
  }
  local count, neighbours = 0, 0
  for client, other in pairs(users) do
    count = count + 1
    if other.origin == user.origin then neighbours = neighbours + 1 end
  end
  if count >= most or neighbours >= each then
    client:send(count >= most and "* The chat is full\r\n" or "* Too many come from your address\r\n")
    return client:disconnect()
  end
  users[client] = user
  function user.tell(handler, ...)
    return show(user, SHOWN[handler]:format(...))
  end
  function client:onReception(data)
    local left = user.reader:read(data, function(line)
      if not user.gone then heard(user, line) end
    end, function(reply)
      user.gone = user.gone or self:send(reply) ~= nil
    end)
    user.gone = user.gone or not left
    return left or 0
  end
  function client:onDisconnection()
    user.gone = true
    users[self] = nil
    leave(user)
  end
  show(user, "* Your name?")
end

local function listen()
  tried = cumulus.epochTime
  server = server or cumulus:createTCPServer()
  function server:clientHandler(client) welcome(client) end
  if server:start(port) then return NOTE("Telnet users are welcome at port ", port) end
  WARN("No telnet: port ", port, " is not available. Next attempt in ", RETRY_INTERVAL, " s")
end

-- Flash clients

function onStart(path)
  -- after an edit of this file, clients are still connected, with their names on their objects
  for id, client in cumulus.clients:pairs() do
    local person = client.chatter
    if type(person) == "table" and person.name then people[person.name] = person end
  end
  if port then listen() end
end

function onStop(path)
  for client, user in pairs(users) do show(user, "* The chat has to close") end
end

function onConnection(client, name)
  local person = {}
  function person.tell(handler, ...)
    client.writer:writeAMFMessage(handler, ...)
    return true
  end
  local problem = join(person, name)
  if problem then error(problem) end
  client.chatter = person

  function client:say(text)
    if not maySay(person) then error("Slowly, please", 0) end
    return say(person, text)
  end

  function client:whisper(to, text)
    if not maySay(person) then error("Slowly, please", 0) end
    return whisper(person, to, text)
  end

  function client:who()
    return who()
  end
end

function onDisconnection(client)
  if type(client.chatter) == "table" then leave(client.chatter) end
end

function onManage()
  local now = cumulus.epochTime
  local leaving = {}
  for client, user in pairs(users) do
    local timeout = user.name and SILENCE_TIMEOUT or NAME_TIMEOUT
    if now - user.heard > timeout * 1000 then
      show(user, "* You wrote nothing for a long time")
      user.gone = true
    end
    if user.gone then leaving[#leaving + 1] = client end
  end
  for i, client in ipairs(leaving) do client:disconnect() end
  if port and not server.running and now - tried > RETRY_INTERVAL * 1000 then listen() end
end
