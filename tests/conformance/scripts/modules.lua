-- A program in several files: `module`, `require`, `dofile`, a configuration in Lua, objects of classes from AMF.

require "counter"
local tools = require("tools")
dofile(cumulus:absolutePath("") .. "settings.lua")

local cats = 0

function onTypedObject(type, object)
  if type == "Cat" then
    cats = cats + 1
    object.number = cats
    function object:meow() return self.name .. " says meow " .. settings.volume end
  elseif type == "Pair" then
    function object:__readExternal(reader) self.left, self.right = reader:readAMF(2) end
    function object:__writeExternal(writer) writer:writeAMF(self.right, self.left) end
  end
end

function onConnection(client)
  function client:listen(cat) return cat:meow() .. " to " .. counter.next() end
  function client:turn(pair) return pair end
  function client:double(list) return tools.map(list, function(x) return x * 2 end) end
end
