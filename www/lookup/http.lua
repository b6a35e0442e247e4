-- GET by HTTP/1.1 (RFC 9112), without blocking the script:
--
--   local http = require "http"
--   local problem = http.get("http://127.0.0.1:8080/path?a=1", { timeout = 5 }, function(problem, answer)
--     if problem then return WARN(problem) end
--     NOTE(answer.status, " ", answer.reason, " ", answer.headers["content-type"], " ", #answer.body)
--   end)
--   function onManage() http.manage() end
--
-- http.get returns an error in the request, without doing anything else; or nothing, and calls the
-- function once: with an error, or with nil and the answer, of any status. A redirection is such an
-- answer, with `location`: http.get does not follow it, since the caller must judge the address.
-- http.manage checks time-outs, every two seconds.
--
-- Options: `timeout` in seconds (10), `longest` in bytes of the body (262144), `headers`, a table.

local http = {}

local MAX_LINE, MAX_HEAD = 8192, 32768 -- bytes
local TOKEN = "[%w!#$%%&'*+.^_`|~-]+" -- characters of header names

local pending = {} -- requests that have no answer yet

local Request = {}
Request.__index = Request

-- A text without blanks at its ends, in linear time even with many blanks inside.
local function trim(text)
  local start = text:find("[^ \t]")
  return start and text:match("^.*[^ \t]", start) or ""
end

-- The parts of a URL; nothing for an unsupported URL.
local function parse(url)
  if type(url) ~= "string" or url:find("[%c%s\128-\255]") then return nil end
  local scheme, authority, path = url:match("^(%a[%w+.-]*)://([^/?#]*)([^#]*)")
  if not scheme or scheme:lower() ~= "http" then return nil end
  local host, port = authority:match("^(%[[%x:.]+%]):?(%d*)$")
  if not host then host, port = authority:match("^([^:@%[%]]+):?(%d*)$") end
  if not host then return nil end
  if path:sub(1, 1) ~= "/" then path = "/" .. path end
  return host, tonumber(port) or 80, path
end

-- A text for a part of a URL, with special characters as %XX.
function http.escape(text)
  return (text:gsub("[^%w._~-]", function(c) return ("%%%02X"):format(c:byte()) end))
end

-- Ends a request and calls its function.
function Request:finish(problem)
  if not pending[self] then return end
  pending[self] = nil
  self.read = nil
  self.client:disconnect()
  if problem then return self.done(problem) end
  self.done(nil, {
    status = self.status,
    reason = self.reason,
    headers = self.headers,
    body = table.concat(self.pieces),
    location = self.status >= 300 and self.status < 400 and self.headers.location or nil,
  })
end

-- Each of these reads one item from a position on and sets the next state: it returns the position
-- after the item, or nothing if the item is incomplete.

-- A line without its end.
function Request:line(data, at)
  local line, stop = data:match("^([^\n]*)\n()", at)
  if (stop or #data + 1) - at > MAX_LINE then
    return self:finish("a line of the answer is too long")
  end
  if not line then return nil end
  self.head = self.head + stop - at
  if self.head > MAX_HEAD then return self:finish("the head of the answer is too long") end
  return line:gsub("\r$", ""), stop
end

function Request:readStatus(data, at)
  local line, stop = self:line(data, at)
  if not line then return nil end
  local status, reason = line:match("^HTTP/1%.%d (%d%d%d) ?(.*)$")
  if not status then return self:finish("the answer is not HTTP/1.1") end
  self.status, self.reason, self.headers = tonumber(status), reason, {}
  self.read = Request.readHeader
  return stop
end

function Request:readHeader(data, at)
  local line, stop = self:line(data, at)
  if not line then return nil end
  if line == "" then return self:headRead() and stop end
  local name, value = line:match("^(" .. TOKEN .. "):(.*)$")
  if not name then return self:finish("a header of the answer is invalid") end
  name, value = name:lower(), trim(value)
  local before = self.headers[name]
  self.headers[name] = before and before .. ", " .. value or value
  return stop
end

-- Determines how the body ends. RFC 9112, 6.3.
function Request:headRead()
  local encoding = (self.headers["transfer-encoding"] or ""):lower()
  local length = self.headers["content-length"]
  local compressed = self.headers["content-encoding"] or "identity"
  if self.status == 101 then return self:finish("the answer changes the protocol") end
  if self.status < 200 then -- an interim response: the final one follows
    self.read = Request.readStatus
    return true
  end
  if self.status == 204 or self.status == 304 then return self:finish() end
  if compressed:lower() ~= "identity" then
    return self:finish("the answer is compressed: " .. compressed)
  end
  if encoding == "chunked" then
    self.read = Request.readSize
  elseif encoding ~= "" then
    return self:finish("the answer is encoded: " .. encoding)
  elseif length then
    local first = length:match("^%d+")
    for part in (length .. ","):gmatch("([^,]*),") do -- repeated lengths must be equal
      local one = trim(part)
      if one ~= first or #one > 15 then return self:finish("Content-Length is invalid: " .. length) end
    end
    self.left = tonumber(first)
    if self.left > self.longest then return self:tooLong() end
    if self.left == 0 then return self:finish() end
    self.read = Request.readCounted
  else
    self.read = Request.readUntilEnd
  end
  return true
end

function Request:tooLong()
  self:finish("the answer is longer than " .. self.longest .. " bytes")
end

-- Adds a piece to the body.
function Request:take(piece)
  self.length = self.length + #piece
  self.pieces[#self.pieces + 1] = piece
end

function Request:readCounted(data, at)
  if at > #data then return nil end
  local piece = data:sub(at, at + self.left - 1)
  self:take(piece)
  self.left = self.left - #piece
  if self.left == 0 then self:finish() end
  return at + #piece
end

function Request:readUntilEnd(data, at)
  if at > #data then return nil end
  if self.length + #data - at + 1 > self.longest then return self:tooLong() end
  self:take(data:sub(at))
  return #data + 1
end

-- Chunks: RFC 9112, 7.1. Each is a line with its size, its bytes, and the end of a line.
function Request:readSize(data, at)
  local line, stop = self:line(data, at)
  if not line then return nil end
  self.head = 0
  local size = line:match("^(%x+)[ \t]*$") or line:match("^(%x+)[ \t]*;")
  if not size or #size > 12 then return self:finish("the size of a chunk is invalid") end
  self.left = tonumber(size, 16)
  if self.length + self.left > self.longest then return self:tooLong() end
  self.read = self.left == 0 and Request.readTrailer or Request.readChunk
  return stop
end

function Request:readChunk(data, at)
  if at > #data then return nil end
  local piece = data:sub(at, at + self.left - 1)
  self:take(piece)
  self.left = self.left - #piece
  if self.left == 0 then self.read = Request.readChunkEnd end
  return at + #piece
end

function Request:readChunkEnd(data, at)
  local line, stop = self:line(data, at)
  if not line then return nil end
  if line ~= "" then return self:finish("a chunk is longer than its size") end
  self.read = Request.readSize
  return stop
end

function Request:readTrailer(data, at)
  local line, stop = self:line(data, at)
  if not line then return nil end
  if line == "" then self:finish() end
  return stop
end

-- The text of a request; nothing if a header cannot be sent.
local function requestOf(host, port, path, headers)
  local lines = {
    "GET " .. path .. " HTTP/1.1",
    "Host: " .. host .. (port == 80 and "" or ":" .. port),
    "User-Agent: CumulusServer",
    "Accept-Encoding: identity",
    "Connection: close",
  }
  for name, value in pairs(headers or {}) do
    value = tostring(value)
    if not name:find("^" .. TOKEN .. "$") or value:find("[%z\1-\8\10-\31\127]") then return nil end
    lines[#lines + 1] = name .. ": " .. value
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

function http.get(url, options, done)
  local host, port, path = parse(url)
  if not host then return "This is not an http URL: " .. tostring(url) end
  local text = requestOf(host, port, path, options.headers)
  if not text then return "A header of the request is invalid" end

  local client = cumulus:createTCPClient()
  local timeout = options.timeout or 10
  local request = setmetatable({
    client = client,
    done = done,
    longest = options.longest or 262144,
    timeout = timeout,
    ends = cumulus.epochTime + timeout * 1000,
    read = Request.readStatus,
    head = 0, -- bytes of lines
    length = 0, -- bytes of the body
    pieces = {},
  }, Request)

  function client:onReception(data)
    local at = 1
    while at and request.read do
      local stop = request:read(data, at)
      if not stop then break end
      at = stop
    end
    return request.read and #data - at + 1 or 0 -- incomplete items are received again
  end
  function client:onDisconnection()
    local whole = request.read == Request.readUntilEnd and not self.error
    request:finish(not whole and (self.error or "the connection ended before the answer did") or nil)
  end

  local problem = client:connect(host, port) or client:send(text)
  if problem then
    client:disconnect()
    return problem
  end
  pending[request] = true
end

-- Ends requests that take too long.
function http.manage()
  local late = {}
  for request in pairs(pending) do
    if cumulus.epochTime > request.ends then late[#late + 1] = request end
  end
  for i, request in ipairs(late) do request:finish("no answer within " .. request.timeout .. " s") end
end

return http
