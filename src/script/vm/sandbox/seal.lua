-- The last step: scripts cannot change the globals that all applications share.

_G._VERSION = "Lua 5.1" -- scripts read it to choose the functions they use
setmetatable(_G, { __metatable = PROHIBITED })
