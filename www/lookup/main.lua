-- Asks a web service on behalf of clients: GET by HTTP, answers in JSON. docs/lookup.md explains how
-- clients use it. In CumulusServer.ini:
--
--   [lookup]
--   url = http://127.0.0.1:8080/words/
--
-- A client that looks up "tea" makes the server get http://127.0.0.1:8080/words/tea. Without a
-- URL the server makes no request.

local http, json = require "http", require "json"

local MAX_WORD = 100 -- characters
local MAX_REQUESTS = 4 -- of one client at a time

local settings = cumulus.configs.lookup or {}
local options = {
  timeout = tonumber(settings.timeout) or 10,
  longest = tonumber(settings.longest),
  headers = { Accept = "application/json" },
}

waiting = {} -- by word: the clients that wait for its answer

-- Removes and returns the clients that wait for a word; they may ask again then.
local function take(word)
  local clients = waiting[word] or {}
  waiting[word] = nil
  for client in pairs(clients) do client.lookups[word] = nil end
  return clients
end

local function answered(word, problem, answer)
  local clients, value = take(word)
  local function tell(handler, value)
    for client in pairs(clients) do client.writer:writeAMFMessage(handler, word, value) end
  end
  if not problem and answer.location then
    problem = ("the service redirects: %d, %s"):format(answer.status, answer.location)
  elseif not problem and answer.status ~= 200 then
    problem = ("the service answers %d %s"):format(answer.status, answer.reason)
  elseif not problem then
    value, problem = json.decode(answer.body)
  end
  if not problem then return tell("onFound", value) end
  WARN("Looking up ", word, ": ", problem)
  tell("onNotFound", problem)
end

-- After an edit of this file, tells waiting clients to ask again, as the HTTP connections are gone.
function onStart(path)
  for id, client in cumulus.clients:pairs() do
    if type(client.lookups) == "table" then
      for word in pairs(client.lookups) do
        client.writer:writeAMFMessage("onNotFound", word, "the application has restarted")
      end
      client.lookups = {}
    end
  end
end

function onConnection(client)
  client.lookups = {} -- the words that it waits for

  -- Asks for a word; onFound or onNotFound follows.
  function client:lookup(word)
    if not settings.url then error("[lookup] url is not set in CumulusServer.ini", 0) end
    local length = type(word) == "string" and utf8.len(word) or 0
    if length == 0 or length > MAX_WORD then
      error("A word of 1 to " .. MAX_WORD .. " characters, please", 0)
    end
    if self.lookups[word] then return true end -- it already waits for that word
    local count = 0
    for other in pairs(self.lookups) do count = count + 1 end
    if count >= MAX_REQUESTS then error("No more than " .. MAX_REQUESTS .. " at a time, please", 0) end

    local asked = waiting[word]
    if not asked then -- else another client has asked, and both get the answer
      local problem = http.get(settings.url .. http.escape(word), options, function(...)
        answered(word, ...)
      end)
      if problem then -- caused by the configuration, so only for the log
        WARN("Cannot look up ", word, ": ", problem)
        error("The server cannot ask the service", 0)
      end
      asked = {}
      waiting[word] = asked
    end
    asked[self] = true
    self.lookups[word] = true
    return true
  end
end

function onDisconnection(client)
  if type(client.lookups) ~= "table" then return end
  for word in pairs(client.lookups) do
    if waiting[word] then waiting[word][client] = nil end
  end
end

function onManage()
  http.manage()
end
