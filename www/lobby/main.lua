-- A lobby that matches two players of a game, of similar strength if possible.
-- docs/lobby.md explains how clients use it.

local DIFFERENCE = 100 -- maximum difference of ratings for an immediate match
local PER_SECOND = 50 -- added to DIFFERENCE for each second of waiting

waiting = {} -- players in the order in which they came

-- A player is a table in a field of its client. Fields also return parameters of the client's URL, as texts.
local function playerOf(client)
  local player = client.lobbyPlayer
  return type(player) == "table" and player or nil
end

local function leave(player)
  for i, other in ipairs(waiting) do
    if other == player then
      table.remove(waiting, i)
      return true
    end
  end
  return false
end

-- The maximum difference of ratings that a player accepts now.
local function reach(player)
  return DIFFERENCE + PER_SECOND * (cumulus.epochTime - player.since) / 1000
end

-- The best opponent among the players who wait for the same game.
local function opponentOf(player)
  local best, distance
  for i, other in ipairs(waiting) do
    local apart = math.abs(other.rating - player.rating)
    local near = apart <= math.max(reach(player), reach(other))
    if other ~= player and other.game == player.game and near and apart < (distance or math.huge) then
      best, distance = other, apart
    end
  end
  return best
end

-- Tells a player about the other one, whose peer id lets them play without this server.
local function introduce(player, other, begins)
  player.opponent, player.since = other, nil
  player.client.writer:writeAMFMessage("onMatch", {
    game = player.game,
    name = other.name,
    rating = other.rating,
    peer = other.client.id,
    begins = begins,
  })
end

local function match(player)
  local other = opponentOf(player)
  if not other then return false end
  leave(player)
  leave(other)
  introduce(other, player, true) -- the player who waited longer begins
  introduce(player, other, false)
  return true
end

-- Ends a match, if there is one, and tells the other player.
local function part(player)
  local other = player.opponent
  if not other then return end
  player.opponent, other.opponent = nil, nil
  other.client.writer:writeAMFMessage("onOpponentLeft", player.name)
end

function onStart(path)
  for id, client in cumulus.clients:pairs() do -- players who waited when this file was edited
    local player = playerOf(client)
    if player and player.since then waiting[#waiting + 1] = player end
  end
  table.sort(waiting, function(a, b) return a.since < b.since end)
end

function onConnection(client, name, rating)
  if type(name) ~= "string" or name == "" then error("Connect with a name, please") end
  local player = { client = client, name = name:sub(1, 32), rating = tonumber(rating) or 1000 }
  client.lobbyPlayer = player

  -- Waits for an opponent. Returns true if one was already waiting.
  function client:play(game)
    part(player)
    leave(player)
    player.game, player.since = tostring(game or "default"), cumulus.epochTime
    waiting[#waiting + 1] = player
    return match(player)
  end

  -- Stops waiting, or leaves the match.
  function client:cancel()
    part(player)
    player.since = nil
    return leave(player)
  end

  -- The number of players who wait for a game, or for any game.
  function client:waiting(game)
    local count = 0
    for i, other in ipairs(waiting) do
      if game == nil or other.game == game then count = count + 1 end
    end
    return count
  end
end

-- The longer players wait, the more distant opponents they accept.
function onManage()
  for i, player in ipairs { table.unpack(waiting) } do
    if player.since then match(player) end
  end
end

function onDisconnection(client)
  local player = playerOf(client)
  if not player then return end
  leave(player)
  part(player)
end
