-- Streams out of files: a list is read line by line, a log is appended, packets are pushed by onManage.

local folder = cumulus:absolutePath(path)

function readList(name)
  local list = {}
  local file, why = io.open(folder .. name, "r")
  if not file then WARN("No list: ", why) return list end
  for line in file:lines() do
    local name, seconds = string.match(line, "^([%w_]+)%s*=%s*(%d+)")
    if name then list[#list + 1] = { name = name, seconds = tonumber(seconds) } end
  end
  file:close()
  return list
end

local function log(...)
  local file = assert(io.open(folder .. "history.txt", "a+"))
  file:write(os.date("!%Y-%m-%d %H:%M:%S ", cumulus.epochTime / 1000), table.concat({ ... }), "\n")
  file:close()
end

function onStart()
  list = readList("list.txt")
  publication = cumulus:publish("radio")
  time = 0
end

function onManage()
  if not publication then return end
  for i = 1, 3 do
    publication:pushAudioPacket(time, "\47\1" .. string.char(i))
    time = time + 23
  end
  publication:pushDataPacket("onTitle", cumulus:toAMF(list[1] and list[1].name))
  publication:flush()
end

function onSubscribe(client, listener)
  if listener.publication.listeners.count >= 2 then error("full") end
  log(client.address, " listens to ", listener.publication.name)
  listener.audioSampleAccess = true
end

function onStop()
  publication:close()
  os.remove(folder .. "list.txt")
end
