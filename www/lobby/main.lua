-- A lobby that brings two players of a game together, of similar strength if it can be had.
-- docs/lobby.md tells how clients use it.

local DIFFERENCE = 100 -- of ratings that play together at once
local PER_SECOND = 50 -- added to that for each second that somebody waits

waiting = {} -- clients in the order in which they came

local function leave(client)
  for i, other in ipairs(waiting) do
    if other == client then
      table.remove(waiting, i)
      return true
    end
  end
  return false
end

-- How far a client's opponent may be, by now.
local function reach(client)
  return DIFFERENCE + PER_SECOND * (cumulus.epochTime - client.waitsSince) / 1000
end

-- The best opponent among those who wait for the same game.
local function opponentOf(client)
  local best, distance
  for i, other in ipairs(waiting) do
    local apart = math.abs(other.rating - client.rating)
    local near = apart <= math.max(reach(client), reach(other))
    if other ~= client and other.game == client.game and near and apart < (distance or math.huge) then
      best, distance = other, apart
    end
  end
  return best
end

-- Tells a player of the other one, whose peer id lets them play without this server.
local function introduce(client, other, begins)
  client.opponent, client.waitsSince = other, nil
  client.writer:writeAMFMessage("onMatch", {
    game = client.game,
    name = other.playerName,
    rating = other.rating,
    peer = other.id,
    begins = begins,
  })
end

local function match(client)
  local other = opponentOf(client)
  if not other then return false end
  leave(client)
  leave(other)
  introduce(other, client, true) -- who waited longer begins
  introduce(client, other, false)
  return true
end

-- Ends a match, if there is one, and tells the other player.
local function part(client)
  local other = client.opponent
  if not other then return end
  client.opponent, other.opponent = nil, nil
  other.writer:writeAMFMessage("onOpponentLeft", client.playerName)
end

function onStart(path)
  for id, client in cumulus.clients:pairs() do -- those who waited when this file was edited
    if client.waitsSince then waiting[#waiting + 1] = client end
  end
  table.sort(waiting, function(a, b) return a.waitsSince < b.waitsSince end)
end

function onConnection(client, name, rating)
  if type(name) ~= "string" or name == "" then error("Connect with a name, please") end
  client.playerName = name:sub(1, 32)
  client.rating = tonumber(rating) or 1000

  -- Looks for an opponent; true if one was there already.
  function client:play(game)
    part(self)
    leave(self)
    self.game, self.waitsSince = tostring(game or "default"), cumulus.epochTime
    waiting[#waiting + 1] = self
    return match(self)
  end

  -- Waits no more, or leaves the match.
  function client:cancel()
    part(self)
    self.waitsSince = nil
    return leave(self)
  end

  -- How many wait for a game, or for any.
  function client:waiting(game)
    local count = 0
    for i, other in ipairs(waiting) do
      if game == nil or other.game == game then count = count + 1 end
    end
    return count
  end
end

-- Those who wait take opponents further away as time goes by.
function onManage()
  for i, client in ipairs { table.unpack(waiting) } do
    if client.waitsSince then match(client) end
  end
end

function onDisconnection(client)
  leave(client)
  part(client)
end
