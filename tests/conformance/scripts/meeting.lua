-- A meeting room, as the first manuals show it: who connects gets a list of the others, everybody is told of
-- newcomers and of those who leave, through writers kept by client.

writers = {}

function onConnection(client, userName, meeting)
  if not userName then error("a name is wanted") end
  client.userName = userName
  client.meeting = meeting or "lobby"
  writers[client] = client.writer:newFlowWriter()

  function client:getParticipants(meeting)
    local result = {}
    local i = 0
    for id, other in cumulus.clients:pairs() do
      if other.meeting == meeting and other ~= self then
        i = i + 1
        result[i] = { userName = other.userName, farId = other.id }
      end
    end
    table.sort(result, function(a, b) return a.userName < b.userName end)
    return result
  end

  function client:sendMessage(text, ...)
    local sent = 0
    for other, writer in pairs(writers) do
      if other.meeting == self.meeting then
        writer:writeAMFMessage("onMessage", self.userName, text, select("#", ...))
        sent = sent + 1
      end
    end
    return sent
  end

  for other, writer in pairs(writers) do
    if other ~= client and other.meeting == client.meeting then
      writer:writeAMFMessage("onJoin", { name = userName, id = client.id })
      writer:flush()
    end
  end
  return { welcome = "Hello " .. userName, count = cumulus.clients.count + 1 }
end

function onDisconnection(client)
  writers[client] = nil
  for other, writer in pairs(writers) do
    if other.meeting == client.meeting then writer:writeAMFMessage("onLeave", client.userName) end
  end
end
