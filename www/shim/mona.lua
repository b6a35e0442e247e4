-- Lets a script of MonaServer 1 run here. Copy it beside the script's main.lua, whose first line becomes
--
--   dofile("mona.lua")
--
-- docs/moving.md lists unsupported functions.

local cumulus = cumulus
local rawget, rawset, type, pairs, setmetatable = rawget, rawset, type, pairs, setmetatable
local application = _G

-- Writers

local adoptWriter

local writerMethods = {
  writeInvocation = function(self, name, ...) self:writeAMFMessage(name, ...) end,
  writeMessage = function(self, ...) self:writeAMFResult(...) end,
  newWriter = function(self) return adoptWriter(self:newFlowWriter()) end,
  writeRaw = function() error("writeRaw has no counterpart here: see docs/moving.md", 2) end,
}

function adoptWriter(writer)
  if writer and not rawget(writer, "newWriter") then
    for name, method in pairs(writerMethods) do writer[name] = method end
  end
  return writer
end

-- Publications

local publicationMethods = {
  pushAudio = function(self, time, packet) self:pushAudioPacket(time, packet) end,
  pushVideo = function(self, time, packet) self:pushVideoPacket(time, packet) end,
  pushAMFData = function(self, name, ...) self:pushDataPacket(name, cumulus:toAMF(...)) end,
  pushAMF0Data = function(self, name, ...) self:pushDataPacket(name, cumulus:toAMF0(...)) end,
}

local function adoptPublication(publication)
  if publication and not rawget(publication, "pushVideo") then
    for name, method in pairs(publicationMethods) do publication[name] = method end
  end
  return publication
end

-- Clients

-- By client, the event functions that the script set on it. They are removed from its object, as the client
-- may call functions there.
local handlers = setmetatable({}, { __mode = "k" })

local clientEvents =
  { "onPublish", "onUnpublish", "onSubscribe", "onUnsubscribe", "onJoinGroup", "onUnjoinGroup" }

local function adoptClient(client)
  adoptWriter(client.writer)
  if not rawget(client, "properties") then
    client.properties = setmetatable({}, { __index = function(_, name) return client[name] end })
    client.parameters = {}
  end
  client.lastReceptionTime = cumulus.epochTime - (client.elapsedFromReception or 0)
  return client
end

local function takeHandlers(client)
  for _, name in ipairs(clientEvents) do
    local handler = rawget(client, name)
    if type(handler) == "function" then
      handlers[client] = handlers[client] or {}
      handlers[client][name] = handler
      client[name] = nil
    end
  end
end

local function handlerOf(client, name)
  return handlers[client] and handlers[client][name]
end

-- Events: each calls the script's function of the same name, if there is one, in the way of MonaServer.

local scripts = {}
local events = {}

-- Runs after the script has loaded: adds missing events, for functions that it sets on objects.
local function complete()
  complete = function() end
  for name, event in pairs(events) do
    if rawget(application, name) == nil then rawset(application, name, event) end
  end
end

-- Calls the script's function, or that of the parent application.
local function call(name, ...)
  complete()
  local handler = scripts[name] or (super and super[name])
  if handler then return handler(...) end
end

local function leave(client, ...)
  takeHandlers(client)
  return ...
end

-- An event with a client and an object: calls the global function, then the client's function.
local function both(name, prepare)
  return function(client, thing)
    adoptClient(client)
    prepare(thing, client)
    local result = call(name, client, thing)
    if result ~= nil then return result end
    local own = handlerOf(client, name)
    if own then return own(client, thing) end
  end
end

local function none() end

local function packet(event, handler)
  return function(client, publication, time, bytes)
    call(event, client, publication, time, bytes)
    local own = rawget(publication, handler)
    if own then own(publication, time, bytes) end
  end
end

events = {
  onManage = function()
    for _, client in cumulus.clients:pairs() do
      if rawget(client, "lastReceptionTime") then adoptClient(client) end
    end
    if scripts.onManage then return scripts.onManage() end
  end,
  onConnection = function(client, ...)
    adoptClient(client)
    return leave(client, call("onConnection", client, ...))
  end,
  onPublish = both("onPublish", adoptPublication),
  onUnpublish = both("onUnpublish", none),
  onSubscribe = both("onSubscribe", function(listener, client)
    listener.client = client
    adoptPublication(listener.publication)
  end),
  onUnsubscribe = both("onUnsubscribe", none),
  onJoinGroup = both("onJoinGroup", none),
  onUnjoinGroup = both("onUnjoinGroup", none),
  onAudioPacket = packet("onAudioPacket", "onAudio"),
  onVideoPacket = packet("onVideoPacket", "onVideo"),
  onDataPacket = function(client, publication, name, bytes)
    call("onDataPacket", client, publication, name, bytes)
    local own = rawget(publication, "onData")
    if own then own(publication, cumulus:toAMF0(name) .. bytes) end
  end,
}

-- Stores events that the script defines from now on; the event functions above replace them.
setmetatable(application, {
  __newindex = function(variables, name, value)
    if events[name] and type(value) == "function" then
      scripts[name] = value
      value = events[name]
    end
    rawset(variables, name, value)
  end,
})
-- mona

local function list(collection, adopt)
  return setmetatable({}, {
    __index = function(_, name) return collection[name] end,
    __len = function() return #collection end,
    __call = function(_, key)
      local found = collection(key)
      return found and adopt(found)
    end,
    __pairs = function()
      local all = {}
      for key, value in collection:pairs() do all[key] = adopt(value) end
      return next, all
    end,
  })
end

local clients = list(cumulus.clients, adoptClient)
local publications = list(cumulus.publications, adoptPublication)

local null = {} -- null in JSON

local methods = {
  time = function() return cumulus.epochTime end,
  publish = function(_, name) return adoptPublication(cumulus:publish(name)) end,
  joinGroup = function(_, peerId, groupId) return cumulus.groups:join(peerId, groupId) end,
  toJSON = function(_, ...)
    local values = { ... }
    for i = 1, select("#", ...) do
      if values[i] == nil then values[i] = null end
    end
    return cumulus:toJSON(values, null)
  end,
  fromJSON = function(_, text)
    local value = cumulus:fromJSON(text)
    if type(value) == "table" and #value > 0 then return unpack(value) end
    return value
  end,
  dump = function(_, bytes)
    INFO((bytes:gsub(".", function(c) return ("%02X "):format(c:byte()) end)))
  end,
}

mona = setmetatable({ clients = clients, publications = publications, environment = {} }, {
  __index = function(_, name)
    if methods[name] then return methods[name] end
    local value = cumulus[name]
    if type(value) ~= "function" then return value end
    return function(_, ...) return value(cumulus, ...) end
  end,
  __newindex = function(_, name, value) cumulus[name] = value end,
})

this = application

-- The path of the application, from the name of its file: www/game/main.lua.
for level = 2, 10 do
  local info = debug.getinfo(level, "S")
  local found = info and info.source:match("^@www(.*)/main%.lua$")
  if found then
    path, name = found, found:match("[^/]*$")
    break
  end
end

children = setmetatable({}, {
  __index = function(_, name) return application[name] end,
  __call = function() end, -- child applications start with their first client
})
