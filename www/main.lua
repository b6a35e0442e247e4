-- The root application: it serves rtmfp://host/, and every application below can use its functions.
-- Edit it while the server runs: it restarts by itself.

-- Events are inherited: this also runs for applications below that have no onStart of their own.
function onStart(path)
  NOTE(path == "" and "The root application" or path, " has started")
end

function onConnection(client, ...)
  client.greeted = true
  INFO("Client ", client.address, " is here, with ", select("#", ...), " arguments")

  -- A client can call the functions on its object: call("echo", responder, 1, "two") answers with 1.
  function client:echo(value)
    return value
  end

  return { message = "Welcome to CumulusServer" }
end

-- An application below may have an onConnection of its own and inherit this one: then the client was
-- not greeted. rawget, since fields also return parameters of the client's URL, such as "?greeted=1".
function onDisconnection(client)
  if not rawget(client, "greeted") then return end
  INFO("Client ", client.address, " has left; ", cumulus.clients.count, " remain")
end

-- Every client may publish and play; `return false` or error("why") would refuse.
function onPublish(client, publication)
  publication.announced = true
  INFO("Client ", client.address, " publishes ", publication.name)
end

function onUnpublish(client, publication)
  if not rawget(publication, "announced") then return end
  INFO("Client ", client.address, " has stopped publishing ", publication.name)
end
