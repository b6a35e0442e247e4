-- A folder of files to copy, and no application: without this one, clients would be let in here unasked.
function onConnection() error("this is not an application") end
