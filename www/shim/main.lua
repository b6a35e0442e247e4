-- A folder of files to copy, not an application: without this line, clients could connect here.
function onConnection() error("this is not an application") end
