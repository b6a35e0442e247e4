-- A drawing board that all clients share: see docs/board.md. Each stroke is a slot of the shared
-- object "board": its name is the id of the client that drew it, "/" and a number.

local MAX_STROKES = 400 -- of the board; the oldest make room
local MAX_POINTS = 2000 -- numbers of a stroke, two a point

local strokes = {} -- names of slots, oldest first

function onConnection(client)
  function client:me() return self.id end
end

local function isStroke(value)
  return type(value) == "table" and type(value.color) == "string" and #value.color <= 32
    and type(value.points) == "table" and #value.points <= MAX_POINTS
end

local function forget(slot)
  for i, name in ipairs(strokes) do
    if name == slot then return table.remove(strokes, i) end
  end
end

function onSharedObject(client, object)
  if object.name ~= "board" then error("unknown object") end
  function object:onChange(client, slot, value)
    if not client then return end -- this script may change every slot
    if slot:sub(1, #client.id + 1) ~= client.id .. "/" then return false end
    if value == nil then
      forget(slot)
      return
    end
    if not isStroke(value) then return false end
    if self:get(slot) == nil then
      strokes[#strokes + 1] = slot
      if #strokes > MAX_STROKES then self:delete(table.remove(strokes, 1)) end
    end
  end
end

function onSharedObjectLeave(client, object)
  if object.count == 0 then strokes = {} end -- the server deletes the object with its last client
end
