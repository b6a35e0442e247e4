-- A small class library and a game on it: metatables, inheritance, closures, varargs and coroutines.

local function class(base)
  local c = {}
  c.__index = c
  if base then setmetatable(c, { __index = base, __call = getmetatable(base).__call }) else
    setmetatable(c, { __call = function(self, ...)
      local object = setmetatable({}, self)
      if object.init then object:init(...) end
      return object
    end })
  end
  return c
end

Player = class()
function Player:init(client, name) self.client, self.name, self.score = client, name, 0 end
function Player:tell(what, ...) self.client.writer:writeAMFMessage(what, ...) end
Player.__tostring = function(self) return "Player " .. self.name end
Player.__lt = function(a, b) return a.score < b.score end
Player.__eq = rawequal

Game = class()
function Game:init(...)
  self.players = { ... }
  self.turn = coroutine.wrap(function()
    while true do
      for i, player in ipairs(self.players) do coroutine.yield(player) end
    end
  end)
end
function Game:next()
  local player = self:turn()
  player:tell("yourTurn", player.score)
  return player.name
end

Tournament = class(Game)
function Tournament:best()
  table.sort(self.players, function(a, b) return b < a end)
  return self.players[1].name, unpack(self.players, 2)
end

waiting = {}

function onConnection(client, name)
  local player = Player(client, name)
  client.player = player
  table.insert(waiting, player)
  if #waiting == 2 then
    local game = Tournament(unpack(waiting))
    for _, each in ipairs(waiting) do each.game = game each:tell("start", #game.players, tostring(each)) end
    waiting = {}
  end
  function client:next() return player.game and player.game:next() end
  function client:score(n) player.score = player.score + n return player.score end
  function client:best() local name = player.game:best() return name end
end
