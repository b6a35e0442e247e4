-- Plays FLV files as live streams, each in a loop. docs/video.md explains how to use it.
-- In CumulusServer.ini:
--
--   [video]
--   files = intro, clock
--
-- publishes www/video/intro.flv as "intro" and www/video/clock.flv as "clock".

-- Milliseconds pushed ahead: more than the 2 seconds between calls of onManage, so that viewers do not wait.
local AHEAD = 2500
-- Milliseconds between the last frame and the first one of the next round.
local GAP = 40
local AUDIO, VIDEO, DATA = 8, 9, 18

local settings = cumulus.configs.video or {}

-- Opens a file at its first tag.
local function open(name)
  local file, problem = io.open(cumulus:absolutePath(here) .. name .. ".flv", "rb")
  if not file then return nil, problem end
  local header = file:read(9)
  if not header or #header < 9 or header:sub(1, 3) ~= "FLV" then return nil, "not an FLV file" end
  local first = string.unpack(">I4", header, 6) + 4
  file:seek("set", first)
  return file, first
end

-- The next tag: its type, time and body; nothing at the end of the file.
local function readTag(file)
  local header = file:read(11)
  if not header or #header < 11 then return nil end
  local kind, length, time, highest = string.unpack(">I1 I3 I3 I1", header)
  local body = file:read(length + 4) -- the length of the tag follows
  if not body or #body < length then return nil end
  return kind, time + highest * 0x1000000, body:sub(1, length)
end

local function push(publication, kind, time, body)
  if kind == AUDIO then
    publication:pushAudioPacket(time, body)
  elseif kind == VIDEO then
    publication:pushVideoPacket(time, body)
  elseif kind == DATA and body:byte(1) == 2 then -- an AMF0 text, and the arguments
    local name, rest = string.unpack(">s2", body, 2)
    publication:pushDataPacket(name, body, rest - 1)
  end
end

local Player = {}
Player.__index = Player

-- Pushes the packets due by now, and a little ahead.
function Player:advance()
  local due = cumulus.epochTime - self.began + AHEAD
  while true do
    if not self.kind then
      self.kind, self.time, self.body = readTag(self.file)
      if not self.kind then -- the end: start again after the played frames
        if self.last == self.base then return self:stop("it has no frames") end
        self.base = self.last + GAP
        self.file:seek("set", self.first)
        self.kind, self.time, self.body = readTag(self.file)
      end
    end
    local time = self.base + self.time
    if time > due then break end
    push(self.publication, self.kind, time, self.body)
    self.last = math.max(self.last, time)
    self.kind = nil
  end
  self.publication:flush()
end

function Player:stop(why)
  if why then ERROR(self.name, ": ", why) end
  self.publication:close()
  self.file:close()
  players[self.name] = nil
end

local function play(name)
  local file, first = open(name)
  if not file then return ERROR("Cannot play ", name, ".flv: ", first) end
  local publication = cumulus:publish(name)
  if not publication then return file:close() end
  players[name] = setmetatable({
    name = name, file = file, first = first, publication = publication,
    began = cumulus.epochTime, base = 0, last = 0,
  }, Player)
  players[name]:advance()
end

players = {}

function onStart(path)
  here = path
  for i, name in ipairs { cumulus:split(settings.files or "", ",", 3) } do play(name) end
end

function onManage()
  for name, player in pairs(players) do player:advance() end
end

function onStop(path)
  for name, player in pairs(players) do player:stop() end
end

-- Clients only play; the streams come from files.
function onPublish(client, publication)
  error("Only the server publishes here")
end
