-- Splits input from telnet (RFC 854), netcat and the like into lines.
--
--   local lines = require "lines"
--   local reader = lines.reader(1000)
--   function client:onReception(data)
--     return reader:read(data, function(line) … end, function(bytes) self:send(bytes) end)
--   end
--
-- `read` calls its first function with each line, without its end, or with nil for a line of more than
-- 1000 bytes; and the second with answers to the other end's telnet commands. It returns
-- the number of unused bytes, for onReception to return; or nil if the other end sends lines without
-- end.

local lines = {}

local IAC, SE, SB, WILL, WONT, DO, DONT = 255, 240, 250, 251, 252, 253, 254
local MAX_COMMAND = 256 -- bytes of an incomplete command
local MAX_DROPPED = 16384 -- bytes of an over-long line

local Reader = {}
Reader.__index = Reader

function lines.reader(longest)
  return setmetatable({ longest = longest, line = "", dropped = 0, answered = {} }, Reader)
end

function Reader:add(piece)
  self.line = self.line .. piece
  if #self.line > self.longest + 1 then -- 1: a carriage return
    self.dropped = self.dropped + #self.line
    self.line = self.line:sub(-1)
  end
end

-- The complete line; nil if it is too long.
function Reader:take()
  local line, dropped = self.line:gsub("\r$", ""), self.dropped
  self.line, self.dropped = "", 0
  if dropped == 0 and #line <= self.longest then return line end
end

-- Reads the command at a position. Returns the position after it, or nothing if it is incomplete, and
-- the answer, which refuses every option that the other end requests or offers.
local function readCommand(data, at)
  local command, option = data:byte(at + 1, at + 2)
  if not command then return nil end
  if command == SB then
    local stop = at + 2
    while true do
      stop = data:find("\255", stop, true)
      local after = stop and data:byte(stop + 1)
      if not after then return nil end
      stop = stop + 2
      if after == SE then return stop end -- IAC inside is doubled
    end
  end
  if command < WILL or command == IAC then return at + 2 end
  if not option then return nil end
  if command == DO then return at + 3, string.char(IAC, WONT, option) end
  if command == WILL then return at + 3, string.char(IAC, DONT, option) end
  return at + 3
end

function Reader:read(data, onLine, answer)
  local at = 1
  while at <= #data do
    local stop = data:find("[%z\n\255]", at)
    self:add(data:sub(at, (stop or #data + 1) - 1))
    if self.dropped > MAX_DROPPED then return nil end
    if not stop then return 0 end
    local found = data:byte(stop)
    if found == IAC then
      local reply
      at, reply = readCommand(data, stop)
      if reply and not self.answered[reply] then -- answer once, as the answer does not change
        self.answered[reply] = true
        answer(reply)
      end
      if not at then
        local left = #data - stop + 1
        return left <= MAX_COMMAND and left or nil
      end
    else
      -- a line ends with CR LF, with LF alone, or where each key is sent by itself with CR NUL
      if found == 10 or self.line:sub(-1) == "\r" then onLine(self:take()) end
      at = stop + 1
    end
  end
  return 0
end

return lines
