-- A chat: every client receives every message. docs/chat.md explains how clients use it.

local MAX_NAME, MAX_TEXT = 32, 1000 -- characters
local MAX_HISTORY = 20 -- messages

people = {} -- client by name
history = {} -- the last messages, each { name, text }

-- Calls a function on every client in the chat, and counts the clients.
local function tell(handler, ...)
  local count = 0
  for name, client in pairs(people) do
    client.writer:writeAMFMessage(handler, ...)
    count = count + 1
  end
  return count
end

-- A text to show: UTF-8 without control characters, at most `longest` characters.
local function clean(text, longest)
  if type(text) ~= "string" or not utf8.len(text) then return "" end
  text = text:gsub("%c", " "):match("^%s*(.-)%s*$")
  return text:sub(1, (utf8.offset(text, longest + 1) or 0) - 1)
end

-- After an edit of this file, clients are still connected, with their names on their objects.
-- Fields also return parameters of the client's URL, such as "?chatName=": rawget returns only fields
-- that this script has set.
function onStart(path)
  for id, client in cumulus.clients:pairs() do
    local name = rawget(client, "chatName")
    if name then people[name] = client end
  end
end

function onConnection(client, name)
  name = clean(name, MAX_NAME)
  if name == "" then error("Connect with a name, please") end
  if people[name] then error("Somebody is called " .. name .. " already") end

  function client:say(text)
    text = clean(text, MAX_TEXT)
    if text == "" then return 0 end
    history[#history + 1] = { self.chatName, text }
    if #history > MAX_HISTORY then table.remove(history, 1) end
    return tell("onSaid", self.chatName, text)
  end

  function client:whisper(to, text)
    local other = people[to]
    if not other then return false end
    other.writer:writeAMFMessage("onWhispered", self.chatName, clean(text, MAX_TEXT))
    return true
  end

  function client:who()
    local names = {}
    for name in pairs(people) do names[#names + 1] = name end
    table.sort(names)
    return names
  end

  tell("onJoined", name)
  client.chatName = name
  people[name] = client
  for i, said in ipairs(history) do client.writer:writeAMFMessage("onSaid", said[1], said[2]) end
end

function onDisconnection(client)
  local name = rawget(client, "chatName")
  if not name or people[name] ~= client then return end
  people[name] = nil
  tell("onLeft", name)
end
