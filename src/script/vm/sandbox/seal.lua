-- The last step: what all applications share stays as it is.

_G._VERSION = "Lua 5.1" -- scripts ask for it to know what they may use
setmetatable(_G, { __metatable = PROHIBITED })
